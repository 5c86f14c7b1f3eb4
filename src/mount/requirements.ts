// What mounting needs of a machine: the device, libfuse, and for everybody but
// root a helper with root's rights. Looks, and neither mounts nor loads anything
// native, so that anybody may ask. What it is about: native-notes/fuse-native.md.

import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno } from '../errors.ts'
import { findSystemCommand } from '../files/system-command.ts'
import { mayAllowOther } from './launch.ts'
import { bindingFile, libraryFile, packageDirectory, SONAME } from './native-files.ts'

/** One finding; `ok`: false when it cannot work, 'note' when it works less well or for fewer. */
export type Check = {
  name: string
  ok: boolean | 'note'
  /** what was found */
  detail: string
  /** what to do about it */
  hint?: string
  /** the exit status of what cannot work, where it is not the one for a missing mount or daemon */
  exit?: number
}

const DEVICE = '/dev/fuse'
const SETUID = 0o4000

/** The device, the helper, the libraries, and whether other users may enter what this one mounts. */
export function checkFuse(): Check[] {
  const uid = process.getuid?.() ?? 0
  return [checkDevice(), checkRights(uid), checkHelper(uid), checkLibraries(), checkOtherUsers()]
}

/** The first thing that makes mounting impossible here; undefined when nothing does. Looks no further than that. */
export function fuseObstacle(): Check | undefined {
  const uid = process.getuid?.() ?? 0
  const looks = [checkDevice, () => checkRights(uid), () => checkHelper(uid), checkLibraries]
  for (const look of looks) {
    const check = look()
    if (check.ok === false) return check
  }
  return undefined
}

/** Opening is the only sure test: in a container the device may be there and forbidden. It has no effect by itself. */
function checkDevice(): Check {
  const name = 'fuse device'
  try {
    closeSync(openSync(DEVICE, 'r+'))
    return { name, ok: true, detail: `${DEVICE} can be opened` }
  } catch (error) {
    if (isErrno(error, 'EACCES')) {
      const mode = (statSync(DEVICE).mode & 0o777).toString(8).padStart(4, '0')
      const detail = `${DEVICE} has mode ${mode} and is closed to this user`
      return { name, ok: false, detail, hint: `As root: chmod 0666 ${DEVICE} (its usual mode).` }
    }
    const detail = isErrno(error, 'ENOENT')
      ? `${DEVICE} does not exist`
      : `${DEVICE} cannot be opened: ${(error as Error).message}`
    const hint = `As root: modprobe fuse. A container has to be started with --device ${DEVICE} --cap-add SYS_ADMIN.`
    return { name, ok: false, detail, hint }
  }
}

/** CAP_SYS_ADMIN (capabilities(7)): what mount(2) asks for. */
const SYS_ADMIN = 1n << 21n

/**
 * A container may have the device and still forbid to mount: root lacks the
 * capability then, or for other users the helper cannot gain it.
 */
export function checkRights(uid: number, status = readFileSync('/proc/self/status', 'latin1')): Check {
  const name = 'mount rights'
  const field = (key: string) => new RegExp(`^${key}:\\s*(\\S+)`, 'm').exec(status)?.[1]
  const missing = (detail: string): Check => ({
    name,
    ok: false,
    detail,
    hint: 'A container has to be started with --device /dev/fuse --cap-add SYS_ADMIN.',
  })
  const capabilities = BigInt(`0x${field(uid === 0 ? 'CapEff' : 'CapBnd') ?? 'f'.repeat(16)}`)
  if ((capabilities & SYS_ADMIN) === 0n) return missing('this process may not mount (no CAP_SYS_ADMIN)')
  if (uid !== 0 && field('NoNewPrivs') === '1')
    return missing('no helper may gain rights here (no_new_privs)')
  return { name, ok: true, detail: 'the kernel lets this process mount' }
}

/** Root mounts by mount(2); everybody else through fusermount, which has to be root's and setuid. */
export function checkHelper(uid: number, found = findSystemCommand('fusermount')): Check {
  const name = 'fusermount'
  if (found && isSetuidRoot(found)) return { name, ok: true, detail: found }
  const detail = found ? `${found} is not setuid root` : 'not found'
  const hint = found ? `As root: chmod u+s ${found}` : 'Debian: apt install fuse3'
  if (uid !== 0) return { name, ok: false, detail: `${detail}, and only root can mount without it`, hint }
  return { name, ok: 'note', detail: `${detail}; root needs none, other users do`, hint }
}

function checkLibraries(): Check {
  const name = 'libfuse'
  const fails = (detail: string, hint: string): Check => ({ name, ok: false, detail, hint })
  if (packageDirectory() === undefined) {
    return fails(
      'the package fuse-native is not installed',
      'Install this package again, with its dependencies.',
    )
  }
  if (bindingFile() === undefined) {
    const detail = `fuse-native ships no binary for ${process.platform}-${process.arch}`
    return fails(detail, 'Compile it: npm rebuild fuse-native (needs a C compiler and libfuse-dev).')
  }
  const shipped = libraryFile()
  if (shipped) return { name, ok: true, detail: shipped }
  if (hasSystemLibrary()) return { name, ok: true, detail: `the machine's own ${SONAME}` }
  return fails(`${SONAME} is not on this machine`, 'Debian: apt install libfuse2')
}

function checkOtherUsers(): Check {
  const name = 'other users'
  if (mayAllowOther()) return { name, ok: true, detail: 'can enter the mount' }
  const hint = 'To let other users run your programs, as root: echo user_allow_other >>/etc/fuse.conf'
  return { name, ok: 'note', detail: 'only you, and not even root, can enter your mount', hint }
}

/** The folders of Debian, Fedora and Alpine; a loader configured otherwise is not asked. */
function hasSystemLibrary(): boolean {
  const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu'
  const folders = [`/lib/${triplet}`, `/usr/lib/${triplet}`, '/lib64', '/usr/lib64', '/lib', '/usr/lib']
  return folders.some((folder) => existsSync(join(folder, SONAME)))
}

function isSetuidRoot(file: string): boolean {
  const { uid, mode } = statSync(file)
  return uid === 0 && (mode & SETUID) !== 0
}
