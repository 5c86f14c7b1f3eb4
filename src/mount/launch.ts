// How the mount server is started. Whether the machine can mount at all:
// requirements.ts. Loads nothing native itself.

import { readFileSync } from 'node:fs'
import { entryPoint } from '../entry.ts'
import { ownEnvironment } from '../files/system-command.ts'
import type { PrefixPaths } from '../paths.ts'

const FUSE_CONF = '/etc/fuse.conf'

export type ServerCommand = { command: string; args: string[]; env: NodeJS.ProcessEnv }

/** The command line of the mount server of a prefix. */
export function mountServerCommand({ root }: Pick<PrefixPaths, 'root'>): ServerCommand {
  const args = [entryPoint('mount-server'), '--prefix', root]
  return { command: process.execPath, args, env: ownEnvironment() }
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
