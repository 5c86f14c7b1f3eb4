// How the mount server is started. Whether the machine can mount at all:
// requirements.ts. Loads nothing native itself.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { entryPoint } from '../entry.ts'
import { readLinkOrUndefined, symlinkAtomic } from '../files/atomic.ts'
import { ensurePrefixEntry } from '../files/modes.ts'
import { SYSTEM_PATH } from '../files/system-command.ts'
import type { PrefixPaths } from '../paths.ts'
import { libraryFile, SONAME } from './native-files.ts'

const FUSE_CONF = '/etc/fuse.conf'

export type ServerCommand = { command: string; args: string[]; env: NodeJS.ProcessEnv }

/**
 * The command line of the mount server of a prefix. Makes `var/libfuse`, where
 * the loader finds the libfuse that fuse-native ships: the machine needs none.
 */
export function mountServerCommand(paths: PrefixPaths): ServerCommand {
  const env: NodeJS.ProcessEnv = { ...process.env, PATH: SYSTEM_PATH }
  const library = libraryFile()
  if (library !== undefined) {
    linkLibrary(library, paths.libfuse)
    env.LD_LIBRARY_PATH = [paths.libfuse, process.env.LD_LIBRARY_PATH].filter(Boolean).join(':')
  }
  return { command: process.execPath, args: [entryPoint('mount-server'), '--prefix', paths.root], env }
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

function linkLibrary(library: string, folder: string): void {
  const link = join(folder, SONAME)
  if (readLinkOrUndefined(link) === library) return
  ensurePrefixEntry(folder)
  symlinkAtomic(library, link)
}
