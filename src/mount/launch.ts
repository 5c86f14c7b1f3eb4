// How the mount server is started, and whether this machine can mount at all.
// Loads nothing native itself, so that everybody may ask.

import { accessSync, constants, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { entryPoint } from '../entry.ts'
import { readLinkOrUndefined, symlinkAtomic } from '../files/atomic.ts'
import { SYSTEM_PATH } from '../files/system-command.ts'
import type { PrefixPaths } from '../paths.ts'
import { bindingFile, libraryFile, packageDirectory, SONAME } from './native-files.ts'

const DEVICE = '/dev/fuse'
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

export type FuseProbe = {
  ok: boolean
  /** what is in the way, one sentence each with its remedy; empty when ok */
  reasons: string[]
}

/** Looks for what mounting needs, without trying it. */
export function probeFuse(): FuseProbe {
  const reasons = [deviceReason(), helperReason(), bindingReason()].filter((reason) => reason !== undefined)
  return { ok: reasons.length === 0, reasons }
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

function deviceReason(): string | undefined {
  if (!existsSync(DEVICE)) {
    return `${DEVICE} does not exist: load the kernel module (modprobe fuse), or start the container with --device ${DEVICE} --cap-add SYS_ADMIN`
  }
  try {
    accessSync(DEVICE, constants.R_OK | constants.W_OK)
  } catch {
    const mode = (statSync(DEVICE).mode & 0o777).toString(8).padStart(4, '0')
    return `${DEVICE} has mode ${mode} and is closed to this user: root can open it with chmod 0666 ${DEVICE} (its usual mode)`
  }
  return undefined
}

function helperReason(): string | undefined {
  if (process.getuid?.() === 0 || inPath('fusermount')) return undefined
  return 'fusermount is not in PATH, and only root can mount without it: install the package fuse3'
}

/** What is wrong with fuse-native and its libfuse, "what: remedy"; undefined when nothing is. */
export function bindingReason(): string | undefined {
  if (packageDirectory() === undefined) return 'the package fuse-native is not installed: run npm install'
  if (bindingFile() === undefined) {
    return `fuse-native ships no binary for ${process.platform}-${process.arch}: let npm compile it (npm rebuild fuse-native), which needs a C compiler and libfuse-dev`
  }
  if (libraryFile() === undefined && !systemLibrary()) {
    return `${SONAME} is not on this machine: install the package libfuse2`
  }
  return undefined
}

/** The folders of Debian, Fedora and Alpine; a loader configured otherwise is not asked. */
function systemLibrary(): boolean {
  const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu'
  return [
    `/lib/${triplet}`,
    `/usr/lib/${triplet}`,
    '/lib64',
    '/usr/lib64',
    '/lib',
    '/usr/lib',
    '/usr/local/lib',
  ].some((folder) => existsSync(join(folder, SONAME)))
}

function linkLibrary(library: string, folder: string): void {
  const link = join(folder, SONAME)
  if (readLinkOrUndefined(link) === library) return
  mkdirSync(folder, { recursive: true })
  symlinkAtomic(library, link)
}

function inPath(program: string): boolean {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .some((folder) => folder !== '' && existsSync(join(folder, program)))
}
