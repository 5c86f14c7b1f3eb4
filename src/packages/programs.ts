// The programs of a package that still is a directory on disk: what is executable in bin/, and what their ELF
// headers say of the platform. Programs must be the package's own: a link that leads out of the directory would
// break on the next machine.

import { lstatSync, readdirSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs'
import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { isErrno, PkgError } from '../errors.ts'
import { shellWord } from '../paths.ts'
import { type ElfTarget, readElfTarget } from './elf.ts'
import type { ManifestPlatform } from './manifest.ts'

export const PROGRAMS_DIRECTORY = 'bin'

/** The names of what is executable in `<directory>/bin`, sorted. Throws BAD_MANIFEST for a link that leads outside. */
export function findPrograms(directory: string): string[] {
  return binNames(directory)
    .filter((name) => isProgram(directory, name))
    .sort()
}

/** Throws BAD_MANIFEST naming the first of `programs` that is not an executable file in `<directory>/bin`. */
export function checkPrograms(directory: string, programs: readonly string[]): void {
  const missing = programs.find((name) => !isProgram(directory, name))
  if (missing === undefined) return
  throw new PkgError(
    'BAD_MANIFEST',
    `the manifest names the program ${missing}, but bin/${missing} is not an executable file`,
    {
      hint: `chmod +x ${shellWord(join(directory, PROGRAMS_DIRECTORY, missing))}, or take it out of "programs".`,
    },
  )
}

/**
 * The platforms that these programs are made for, by their ELF headers; undefined when none of them is ELF, and
 * when they are for several machines, for then a header cannot tell. Depends on the files alone, not on this machine.
 */
export function programPlatforms(
  directory: string,
  programs: readonly string[],
): ManifestPlatform[] | undefined {
  return commonPlatforms(programs.map((name) => readElfTarget(join(directory, PROGRAMS_DIRECTORY, name))))
}

/** The same from the programs' targets; undefined stands for a program that is not ELF. */
export function commonPlatforms(all: readonly (ElfTarget | undefined)[]): ManifestPlatform[] | undefined {
  const targets = all.filter((target) => target !== undefined)
  const archs = new Set(targets.map(({ arch }) => arch))
  const [arch] = archs
  if (archs.size !== 1 || arch === undefined) return undefined
  const libcs = new Set(targets.map(({ libc }) => libc).filter((libc) => libc !== undefined))
  const [libc] = libcs
  return [libcs.size === 1 && libc !== undefined ? { os: 'linux', arch, libc } : { os: 'linux', arch }]
}

function binNames(directory: string): string[] {
  try {
    return readdirSync(join(directory, PROGRAMS_DIRECTORY))
  } catch (error) {
    // A package of manual pages or data has no bin/.
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}

function isProgram(directory: string, name: string): boolean {
  const path = join(directory, PROGRAMS_DIRECTORY, name)
  let stats: Stats
  try {
    stats = statSync(path)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return false
    throw error
  }
  // 0o111: the importer stores a mode when any executable bit is set, so any counts here.
  if (!stats.isFile() || (stats.mode & 0o111) === 0) return false
  const outside = leadsOutside(directory, path)
  if (outside === undefined) return true
  throw new PkgError(
    'BAD_MANIFEST',
    `${join(PROGRAMS_DIRECTORY, name)} is a link that leads out of the package, to ${outside}`,
    {
      hint: 'Copy the program into the package, or make the link relative to a file inside it.',
    },
  )
}

/** The target by which the link at `path` leaves `directory`; undefined when it stays inside. The path exists. */
function leadsOutside(directory: string, path: string): string | undefined {
  for (let at = path; lstatSync(at).isSymbolicLink(); ) {
    const target = readlinkSync(at)
    // An absolute target may well lie inside today; in the store it does not.
    if (isAbsolute(target)) return target
    at = resolve(dirname(at), target)
    if (!isInside(directory, at)) return target
  }
  const real = realpathSync(path)
  return isInside(realpathSync(directory), real) ? undefined : real
}

function isInside(directory: string, path: string): boolean {
  const way = relative(resolve(directory), path)
  return way !== '..' && !way.startsWith('../') && !isAbsolute(way)
}
