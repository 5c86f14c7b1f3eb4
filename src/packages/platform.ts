// The platform of this machine, and whether a package runs there. Cheap: no report, no child process.

import { PkgError } from '../errors.ts'
import { readElfTarget } from './elf.ts'
import type { Manifest, ManifestPlatform } from './manifest.ts'

export interface Platform {
  /** process.platform */
  readonly os: string
  /** process.arch */
  readonly arch: string
  /** 'glibc' or 'musl' on Linux */
  readonly libc?: string
}

let known: Platform | undefined

/** Where this process runs. The C library is the one whose loader started Node itself: it surely works here. */
export function currentPlatform(): Platform {
  known ??= {
    os: process.platform,
    arch: process.arch,
    ...(process.platform === 'linux' ? { libc: ownLibc() } : {}),
  }
  return known
}

function ownLibc(): string {
  const libc = readElfTarget('/proc/self/exe')?.libc
  if (libc !== undefined) return libc
  // A static Node tells nothing by its loader: only musl is linked in whole as a rule, and the report knows glibc.
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } }
  return report.header?.glibcVersionRuntime === undefined ? 'musl' : 'glibc'
}

/** True when a package made for `wanted` runs on `machine`. A member that `wanted` leaves out fits everything. */
export function platformFits(wanted: Partial<ManifestPlatform>, machine: Platform): boolean {
  if (wanted.os !== undefined && wanted.os !== machine.os) return false
  if (wanted.arch !== undefined && wanted.arch !== machine.arch) return false
  return wanted.libc === undefined || wanted.libc === machine.libc
}

/** Throws UNSUPPORTED, naming both sides, unless one of the manifest's platforms fits `machine`. */
export function requirePlatform(manifest: Manifest, machine: Platform = currentPlatform()): void {
  const { platforms } = manifest
  if (platforms === undefined || platforms.some((platform) => platformFits(platform, machine))) return
  const made = platforms.map(platformText).join(', ')
  throw new PkgError(
    'UNSUPPORTED',
    `${manifest.name}@${manifest.version} is made for ${made}, and this is ${platformText(machine)}`,
    { hint: `Look for a build for this platform: pkg info ${manifest.name}` },
  )
}

/** A platform in one word: linux-x64-glibc. */
export function platformText({ os, arch, libc }: Platform | ManifestPlatform): string {
  return [os, arch, libc].filter((part) => part !== undefined).join('-')
}
