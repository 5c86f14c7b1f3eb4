// Programs of the system that we call: from fixed directories, never through PATH.
//
// A user's PATH begins with `~/.pkg-profile/bin`, which lies on the mount. Looking
// a command up there asks the mount server: the server itself would wait for its
// own answer for ever (invariant 8), and any package with a program of that name
// would run in place of the system's, for the daemon as root.

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'

/** Debian's and most others' (FHS 3.0), then NixOS's, whose setuid programs are in the first of its two. */
const DIRECTORIES = [
  '/usr/bin',
  '/bin',
  '/usr/sbin',
  '/sbin',
  '/usr/local/bin',
  '/run/wrappers/bin',
  '/run/current-system/sw/bin',
]

/** None of our processes, nor their children, looks into a profile. */
const SYSTEM_PATH = DIRECTORIES.join(':')

/** What our processes read, or Node and libc for them: whose, where, which language, time and certificates. LD_PRELOAD: whoever starts them has it too. */
const READ =
  /^(HOME|USER|LOGNAME|LANG|LC_[A-Z]+|TZ|XDG_(DATA|CONFIG|CACHE|STATE)_HOME|XDG_RUNTIME_DIR|SSL_CERT_(FILE|DIR)|NODE_EXTRA_CA_CERTS|LD_PRELOAD|PKG_\w+)$/

/**
 * The environment of a process of ours. Of the environment of whoever starts it, it gets what it reads, and
 * nothing else: options for other Nodes (NODE_OPTIONS) would be its own as long as it lives, and a
 * store path in any variable would make it keep that package alive.
 */
export function ownEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const read = Object.entries(env).filter(([name]) => READ.test(name))
  return { ...Object.fromEntries(read), PATH: SYSTEM_PATH }
}

/** Where the command is; undefined when the system has none. */
export function findSystemCommand(name: string): string | undefined {
  return DIRECTORIES.map((directory) => `${directory}/${name}`).find((file) => existsSync(file))
}

const run = promisify(execFile)

/** Runs a command of the system to its end. Rejects as execFile does, with ENOENT when the system has none. */
export async function runSystemCommand(
  name: string,
  args: readonly string[],
  options: { timeout?: number; env?: NodeJS.ProcessEnv } = {},
): Promise<void> {
  await run(findSystemCommand(name) ?? `/usr/bin/${name}`, args, options)
}

/** The same, and gives what the command said on its standard output. */
export async function readSystemCommand(
  name: string,
  args: readonly string[],
  options: { timeout?: number } = {},
): Promise<string> {
  const { stdout } = await run(findSystemCommand(name) ?? `/usr/bin/${name}`, args, options)
  return stdout
}
