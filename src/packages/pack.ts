// From a directory to a package: check or make the manifest, import the tree with the links to the package's
// dependencies, give the CID. The directory itself is never written to. The same input gives the same CID on
// every machine: nothing of this machine, its clock or its user enters the DAG.

import { existsSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno, PkgError } from '../errors.ts'
import { readSmallFile } from '../files/small-file.ts'
import type { AddSession } from '../store/add/add.ts'
import { withAdd } from '../store/add/add.ts'
import { type CID, parseCid } from '../store/cid.ts'
import { type ImportedTree, importTree } from '../store/import/import-tree.ts'
import type { TreeEntry } from '../store/import/tree.ts'
import type { ImportProgress } from '../store/import/walk.ts'
import type { Store } from '../store/store.ts'
import { type FaultOptions, tellFaults } from './faults.ts'
import { lostRights } from './lost-rights.ts'
import {
  DEPENDENCIES_PATH,
  encodeManifest,
  MANIFEST_FORMAT,
  MANIFEST_PATH,
  MAX_MANIFEST_BYTES,
  type Manifest,
  PACKAGE_DIRECTORY,
  parseManifest,
  parseNameVersion,
  validateMade,
} from './manifest.ts'
import { linkSize, readManifest } from './package.ts'
import { checkPrograms, findPrograms, programPlatforms } from './programs.ts'

type MadeMembers =
  | 'description'
  | 'licence'
  | 'homepage'
  | 'platforms'
  | 'programs'
  | 'dependencies'
  | 'maintainer'

export interface PackOptions extends Omit<FaultOptions, 'found'> {
  /** `name@version`: makes a manifest for a directory that has none */
  readonly as?: string | undefined
  /** what the made manifest says beyond that; programs and platforms are found in bin/ when not given */
  readonly manifest?: Partial<Pick<Manifest, MadeMembers>> | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: ImportProgress) => void) | undefined
  /** Runs when the package is whole and on stable storage, and still protected: the place to pin it. */
  readonly keep?: ((packed: PackedPackage) => void | Promise<void>) | undefined
}

export type PackedPackage = ImportedTree & { readonly manifest: Manifest }

/**
 * Makes a package of `directory`. What it returns is protected from a collector only by what `keep` did.
 * Throws NOT_FOUND and NOT_DIRECTORY for the directory, BAD_MANIFEST when there is no manifest (and no `as`) or
 * it does not fit the directory, FAULTY (see faults.ts), USAGE for `as` beside a manifest, INCOMPLETE for a dependency that is not all here.
 */
export async function packDirectory(
  store: Store,
  directory: string,
  options: PackOptions = {},
): Promise<PackedPackage> {
  requireDirectory(directory)
  const own = readOwnManifest(directory)
  const manifest = own === undefined ? makeManifest(directory, options) : own
  if (own !== undefined) {
    refuseMade(directory, options)
    checkPrograms(directory, own.programs)
  }
  return withAdd(store, async (add) => {
    const made = own === undefined ? [{ path: MANIFEST_PATH, content: encodeManifest(manifest) }] : []
    const extra = [...made, ...(await dependencyEntries(add, directory, manifest))]
    const tree = await importTree(add, directory, {
      extra,
      signal: options.signal,
      onProgress: options.onProgress,
    })
    // What the DAG holds, not what we read before the import: the file may have changed in between.
    const packed = { ...tree, manifest: readManifest(store.blocks, tree.cid) }
    tellFaults(store.blocks, tree.cid, packed.manifest, { ...options, found: lostRights(directory) })
    await add.commit([tree.cid])
    await options.keep?.(packed)
    return packed
  })
}

function requireDirectory(directory: string): void {
  let stats: Stats
  try {
    stats = statSync(directory)
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT', 'ENOTDIR')) throw cause
    throw new PkgError('NOT_FOUND', `${directory} does not exist`, { cause })
  }
  if (!stats.isDirectory()) {
    throw new PkgError('NOT_DIRECTORY', `${directory} is not a directory`, {
      hint: 'A package is a directory with its programs in bin/.',
    })
  }
}

function readOwnManifest(directory: string): Manifest | undefined {
  const file = join(directory, MANIFEST_PATH)
  let bytes: Uint8Array
  try {
    bytes = readSmallFile(file, { maxBytes: MAX_MANIFEST_BYTES, what: 'a manifest', code: 'BAD_MANIFEST' })
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
  return parseManifest(bytes, file)
}

function makeManifest(directory: string, { as, manifest: given = {} }: PackOptions): Manifest {
  if (as === undefined) {
    throw new PkgError('BAD_MANIFEST', `${directory} has no ${MANIFEST_PATH}`, {
      hint: 'Write one, or have one made: --as <name>@<version>',
    })
  }
  const programs = given.programs ?? findPrograms(directory)
  checkPrograms(directory, programs)
  const platforms = given.platforms ?? programPlatforms(directory, programs)
  const made: Manifest = { format: MANIFEST_FORMAT, ...parseNameVersion(as), ...given, programs }
  if (platforms !== undefined) made.platforms = platforms
  return validateMade(made)
}

function refuseMade(directory: string, { as, manifest = {} }: PackOptions): void {
  if (as === undefined && Object.values(manifest).every((value) => value === undefined)) return
  throw new PkgError('USAGE', `${directory} has a manifest already`, {
    hint: `Change ${join(directory, MANIFEST_PATH)}, or delete it and have one made.`,
  })
}

/** The links at .pkg/dependencies/<name>, each protected and complete. */
async function dependencyEntries(
  add: AddSession,
  directory: string,
  { dependencies = [] }: Manifest,
): Promise<TreeEntry[]> {
  if (dependencies.length > 0 && existsSync(join(directory, DEPENDENCIES_PATH))) {
    throw new PkgError(
      'BAD_MANIFEST',
      `${join(directory, DEPENDENCIES_PATH)} is where the links to dependencies go`,
      {
        hint: `Take it out of the directory: ${PACKAGE_DIRECTORY}/ belongs to pkg.`,
      },
    )
  }
  const entries: TreeEntry[] = []
  for (const { name, cid: text } of dependencies) {
    const cid: CID = parseCid(text).toV1()
    await add.rely(cid)
    entries.push({ path: `${DEPENDENCIES_PATH}/${name}`, cid, size: linkSize(add.store.blocks, cid) })
  }
  return entries
}
