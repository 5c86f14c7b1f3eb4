// What mounting needs: the device, libfuse, and for everybody but root a helper
// with root's rights. See native-notes/fuse-native.md.

import { accessSync, closeSync, constants, openSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { isErrno } from '../errors.ts'
import { bindingReason, mayAllowOther } from '../mount/launch.ts'
import type { Check } from './doctor.ts'

const DEVICE = '/dev/fuse'
const SETUID = 0o4000

export type FuseCheckOptions = { env: NodeJS.ProcessEnv; uid?: number }

/** The device, the helper, the library, and whether other users may see what this one mounts. */
export function fuseChecks({ env, uid = process.getuid?.() ?? 0 }: FuseCheckOptions): Check[] {
  return [deviceCheck(), helperCheck(env, uid), libraryCheck(), otherUsersCheck()]
}

function deviceCheck(): Check {
  const name = 'fuse device'
  try {
    closeSync(openSync(DEVICE, 'r+'))
    return { name, ok: true, detail: `${DEVICE} can be opened` }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) {
      const hint =
        'As root: modprobe fuse. In a container: start it with --device /dev/fuse --cap-add SYS_ADMIN.'
      return { name, ok: false, detail: `${DEVICE} is missing`, hint }
    }
    if (isErrno(error, 'EACCES')) {
      const hint = `As root: chmod 0666 ${DEVICE} (its usual mode), and a udev rule to keep it.`
      return { name, ok: false, detail: `this user may not open ${DEVICE}`, hint }
    }
    const hint = 'As root: modprobe fuse. In a container: start it with --device /dev/fuse.'
    return { name, ok: false, detail: `${DEVICE} cannot be opened: ${(error as Error).message}`, hint }
  }
}

/** Root mounts by mount(2); everybody else through fusermount, which has to be root's and setuid. */
export function helperCheck(env: NodeJS.ProcessEnv, uid: number): Check {
  const name = 'fusermount'
  const found = findProgram('fusermount', env) ?? findProgram('fusermount', { PATH: '/bin:/usr/bin' })
  if (found && isSetuidRoot(found)) return { name, ok: true, detail: found }
  const detail = found ? `${found} is not setuid root` : 'not found'
  const hint = found ? `As root: chmod u+s ${found}` : 'Debian: apt install fuse3'
  if (uid === 0)
    return { name, ok: 'warning', detail: `${detail}; root mounts without it, other users cannot`, hint }
  return { name, ok: false, detail, hint }
}

function libraryCheck(): Check {
  const reason = bindingReason()
  if (reason === undefined)
    return { name: 'libfuse', ok: true, detail: 'fuse-native and its libfuse.so.2 are there' }
  const [detail = reason, hint] = reason.split(': ')
  return { name: 'libfuse', ok: false, detail, ...(hint && { hint }) }
}

function otherUsersCheck(): Check {
  const name = 'other users'
  if (mayAllowOther()) return { name, ok: true, detail: 'can enter the mount' }
  const hint = 'To let other users run your programs, as root: echo user_allow_other >>/etc/fuse.conf'
  return { name, ok: 'warning', detail: 'only you, and not even root, can enter your mount', hint }
}

function findProgram(program: string, { PATH = '' }: NodeJS.ProcessEnv): string | undefined {
  return PATH.split(delimiter)
    .map((directory) => join(directory, program))
    .find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    // Missing, or not for us: the next directory of PATH may have it, as a shell looks.
    return false
  }
}

function isSetuidRoot(file: string): boolean {
  const { uid, mode } = statSync(file)
  return uid === 0 && (mode & SETUID) !== 0
}
