// How the mount server is started. Whether the machine can mount at all:
// requirements.ts. Loads nothing native itself.

import { readFileSync } from 'node:fs'
import { entryPoint } from '../entry.ts'
import { ownEnvironment } from '../files/system-command.ts'
import type { PrefixPaths } from '../paths.ts'

const FUSE_CONF = '/etc/fuse.conf'

export type ServerCommand = { command: string; args: string[]; env: NodeJS.ProcessEnv }

/** A young generation of 2 MiB a thread, not of 64: what lives longer here is few, and no answer waits for it. */
const NODE_FLAGS = ['--max-semi-space-size=2', '--heap-growing-percent=25', '--optimize-for-size']

/**
 * glibc (mallopt(3)): blocks are mapped, and so given back when they are let go; by its own rule they are taken from
 * the heap once the first large one was, and stay there. Two arenas, for there are a dozen threads.
 */
const MALLOC = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '65536',
  MALLOC_TRIM_THRESHOLD_: '65536',
}

/** The command line of the mount server of a prefix; `entry` is another build's. */
export function mountServerCommand(
  { root }: Pick<PrefixPaths, 'root'>,
  entry: string = entryPoint('mount-server'),
): ServerCommand {
  const args = [...NODE_FLAGS, entry, '--prefix', root]
  return { command: process.execPath, args, env: { ...ownEnvironment(), ...MALLOC } }
}

/** True when other users may be let into a mount of this user's (mount.fuse(8), allow_other). */
export function mayAllowOther(): boolean {
  if (process.getuid?.() === 0) return true
  try {
    return /^\s*user_allow_other\s*$/m.test(readFileSync(FUSE_CONF, 'utf8'))
  } catch {
    // No such file, or not for us: then the option is refused.
    return false
  }
}
