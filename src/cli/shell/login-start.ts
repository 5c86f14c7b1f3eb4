// Whether the daemon starts by itself after a restart of the machine, and the files that make it so:
// root's prefix has a unit of the system; any other one a unit of its user's systemd, or where that
// is not there a marked line in the shell's start-up file. Written only when that was asked for.

import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { launcher } from '../../entry.ts'
import { isErrno, PkgError } from '../../errors.ts'
import { readLinkOrUndefined, symlinkAtomic, writeFileAtomic } from '../../files/atomic.ts'
import { makeDirectory, removeIfThere } from '../../files/directory.ts'
import { runSystemCommand } from '../../files/system-command.ts'
import { describeMode } from '../../mount/mode.ts'
import type { Check } from '../../mount/requirements.ts'
import { type PrefixPaths, resolvePrefix, xdgDirectory } from '../../paths.ts'
import { START_LINE, shellLine, startLine } from './path-hint.ts'
import { serviceUnit, TARGET } from './service-unit.ts'
import { hasLine, MARK, setMarkedLine } from './shell-file.ts'

export type LoginStart = {
  when: 'boot' | 'login'
  how: 'systemd' | 'shell'
  /** what has it start: the unit, or the shell's start-up file */
  file: string
  /** the unit's text, or the line */
  text: string
  starts: boolean
}

const UNIT = 'pkg.service'

/** Milliseconds for a manager to read its units again. */
const RELOAD_MS = 5000

/** How the daemon of this prefix is started, or would be; undefined where that is for another user. */
export function loginStart(paths: PrefixPaths, env: NodeJS.ProcessEnv): LoginStart | undefined {
  const uid = process.getuid?.() ?? 0
  const owner = statSync(paths.root, { throwIfNoEntry: false })?.uid ?? uid
  if (owner !== uid) return undefined
  const program = launcher()
  const scope = managerOf(paths, env, uid)
  if (scope === undefined) {
    const text = startLine(env, paths.root, program)
    const { file } = shellLine(env)
    const starts = hasLine(file, text)
    return { when: 'login', how: 'shell', file, text, starts }
  }
  const file = join(unitDirectory(scope, env), UNIT)
  const text = serviceUnit(paths, { program, scope })
  const starts = readOrUndefined(file) === text && existsSync(wantsLink(file, scope))
  return { when: scope === 'system' ? 'boot' : 'login', how: 'systemd', file, text, starts }
}

/** Has it start, or no more. False when it is so already. Throws EXISTS for a unit that somebody else wrote. What systemd is not told now it reads at its next start. */
export async function setLoginStart(start: LoginStart, wanted: boolean): Promise<boolean> {
  const { how, file, text } = start
  if (how === 'shell') return setMarkedLine(file, wanted ? text : undefined, START_LINE)
  const scope = start.when === 'boot' ? 'system' : 'user'
  const link = wantsLink(file, scope)
  const found = readOrUndefined(file)
  if (wanted ? start.starts : found === undefined && readLinkOrUndefined(link) === undefined) return false
  if (found !== undefined && !found.startsWith(MARK)) {
    throw new PkgError('EXISTS', `${file} is not by pkg init`, { hint: 'Move it out of the way.' })
  }
  if (wanted) {
    makeDirectory(dirname(link))
    writeFileAtomic(file, text, { mode: 0o644 })
    symlinkAtomic(join('..', UNIT), link)
  } else {
    for (const one of [link, file]) removeIfThere(one)
  }
  const asUser = scope === 'user' ? ['--user'] : []
  await runSystemCommand('systemctl', [...asUser, 'daemon-reload'], { timeout: RELOAD_MS }).catch(() => {})
  return true
}

/** For `pkg doctor`; undefined where nothing has to start. */
export function startCheck(paths: PrefixPaths, env: NodeJS.ProcessEnv): Check | undefined {
  if (describeMode(paths).mode !== 'mount' || !existsSync(paths.root)) return undefined
  const start = loginStart(paths, env)
  if (start === undefined) return undefined
  const { when, file, starts } = start
  const detail = `starts at ${when}: ${starts ? `yes, by ${file}` : 'no'}`
  const hint = `For programs to run after a restart of the machine: \`pkg init --start-at-login\`, which writes ${file}.`
  return starts ? { name: 'start', ok: true, detail } : { name: 'start', ok: 'note', detail, hint }
}

/** Whose systemd runs here and would start it; undefined: none does. */
function managerOf(paths: PrefixPaths, env: NodeJS.ProcessEnv, uid: number): 'system' | 'user' | undefined {
  const { PKG_PREFIX: _, ...without } = env
  // sd_booted(3)
  if (uid === 0 && resolvePrefix(without) === paths.root)
    return existsSync('/run/systemd/system') ? 'system' : undefined
  const runtime = xdgDirectory({ ...env, HOME: '/run/user' }, 'XDG_RUNTIME_DIR', String(uid))
  return existsSync(join(runtime, 'systemd', 'private')) ? 'user' : undefined
}

/** systemd.unit(5), Unit File Load Path. */
function unitDirectory(scope: 'system' | 'user', env: NodeJS.ProcessEnv): string {
  if (scope === 'system') return '/etc/systemd/system'
  return join(xdgDirectory(env, 'XDG_CONFIG_HOME', '.config'), 'systemd', 'user')
}

/** The link that `systemctl enable` makes. */
function wantsLink(unit: string, scope: 'system' | 'user'): string {
  return join(dirname(unit), `${TARGET[scope]}.wants`, UNIT)
}

function readOrUndefined(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}
