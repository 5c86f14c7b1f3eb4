// Environments in the store: building one from packages, and reading back which packages one holds.
// Building needs an add session; reading loads the store's reading side only.

import { hasCode, PkgError } from '../errors.ts'
import { linkSize } from '../packages/package.ts'
import type { AddSession } from '../store/add/add.ts'
import type { BlockGetter } from '../store/blocks/blocks.ts'
import { type CID, RAW } from '../store/cid.ts'
import type { TreeEntry } from '../store/import/tree.ts'
import { list } from '../store/unixfs/directory.ts'
import { decodeNode, type UnixfsNode } from '../store/unixfs/node.ts'
import { readFile } from '../store/unixfs/read.ts'
import { resolvePath } from '../store/unixfs/resolve.ts'
import { decodeInstalled, encodeInstalled, type InstalledPackage, sortByName } from './installed.ts'
import { type TreeNode, type UnionEntry, unionOf } from './union.ts'

export const ENVIRONMENT_FILE = 'environment.json'
export const PACKAGES_DIRECTORY = 'packages'

/** The longest environment.json that is read, in bytes: some hundred thousand packages. */
const MAX_ENVIRONMENT_BYTES = 64 * 1024 * 1024

/**
 * Writes the environment of `packages` under the session's temp pin and gives its root. The packages have to be
 * here and protected. The same set gives the same CID on every machine, in whatever order it comes. `before` are
 * the packages that are installed already: a hint names them otherwise than new ones.
 * Throws COLLISION (see union.ts), MISSING_BLOCK, CORRUPT_BLOCK, BAD_NODE.
 */
export async function buildEnvironment(
  add: AddSession,
  packages: readonly InstalledPackage[],
  before: readonly InstalledPackage[] = [],
): Promise<CID> {
  const entries = environmentEntries(add.store.blocks, packages, before)
  const { buildTree } = await import('../store/import/tree.ts')
  return (await buildTree(add, entries)).cid
}

/** The root that {@link buildEnvironment} would give; writes nothing. Errors as there. */
export async function environmentCid(
  { store: { blocks } }: Pick<AddSession, 'store'>,
  packages: readonly InstalledPackage[],
  before: readonly InstalledPackage[] = [],
): Promise<CID> {
  const entries = environmentEntries(blocks, packages, before)
  const { treeCid } = await import('../store/import/tree.ts')
  return treeCid(entries)
}

function environmentEntries(
  blocks: BlockGetter,
  packages: readonly InstalledPackage[],
  before: readonly InstalledPackage[],
): TreeEntry[] {
  return [
    { path: ENVIRONMENT_FILE, content: encodeInstalled(packages) },
    // Always there: PATH names bin/ from the first day on.
    { path: 'bin', directory: true },
    { path: PACKAGES_DIRECTORY, directory: true },
    ...environmentUnion(blocks, packages, before),
    ...packages.map(({ name, cid }) => {
      return { path: `${PACKAGES_DIRECTORY}/${name}`, cid: cid.toV1(), size: linkSize(blocks, cid) }
    }),
  ]
}

/** The links and directories of the environment, without writing anything. Errors as in {@link buildEnvironment}. */
export function environmentUnion(
  blocks: BlockGetter,
  packages: readonly InstalledPackage[],
  before: readonly InstalledPackage[] = [],
): UnionEntry[] {
  const isThere = (one: InstalledPackage) => before.some(({ cid }) => cid.equals(one.cid))
  return unionOf(
    packages.map((one) => ({
      name: one.name,
      version: one.version,
      cid: one.cid.toV1().toString(),
      priority: one.priority,
      spec: isThere(one) ? specOfInstalled(one) : one.requested,
      root: packageTree(blocks, one.cid),
    })),
  )
}

/** Asks for this very build: a name may stand for a later version by now, a directory may hold something else. */
function specOfInstalled({ name, version, cid, registry }: InstalledPackage): string {
  return registry === undefined ? cid.toString() : `${name}@${version}`
}

/**
 * The packages of an environment, by name. Throws BAD_NODE when the DAG is not an environment, UNSUPPORTED for a
 * later format, MISSING_BLOCK, CORRUPT_BLOCK.
 */
export function readEnvironment(blocks: BlockGetter, environment: CID): InstalledPackage[] {
  try {
    const { node } = resolvePath(blocks, environment, ENVIRONMENT_FILE)
    if (node.type !== 'file')
      throw new PkgError('NOT_FILE', `${environment}/${ENVIRONMENT_FILE} is a ${node.type}`)
    const bytes = readFile(blocks, node, { maxBytes: MAX_ENVIRONMENT_BYTES })
    return sortByName(decodeInstalled(bytes, `${ENVIRONMENT_FILE} of ${environment}`))
  } catch (cause) {
    if (!hasCode(cause, 'NOT_FOUND', 'NOT_DIRECTORY', 'NOT_FILE', 'NOT_UNIXFS')) throw cause
    throw new PkgError('BAD_NODE', `${environment} is not an environment: it has no ${ENVIRONMENT_FILE}`, {
      cause,
    })
  }
}

/** The same, but undefined for an environment that is damaged: for listings that one bad generation must not end. */
export function tryReadEnvironment(blocks: BlockGetter, environment: CID): InstalledPackage[] | undefined {
  try {
    return readEnvironment(blocks, environment)
  } catch (error) {
    if (hasCode(error, 'MISSING_BLOCK', 'CORRUPT_BLOCK', 'BAD_NODE', 'UNSUPPORTED')) return undefined
    throw error
  }
}

/** A package's tree as the union sees it, read as far as it is asked for. */
export function packageTree(blocks: BlockGetter, root: CID): TreeNode {
  return treeNode(blocks, root, root, [])
}

function treeNode(blocks: BlockGetter, root: CID, cid: CID, path: readonly string[]): TreeNode {
  let node: UnixfsNode | undefined | 'unread' = 'unread'
  const read = () => {
    if (node === 'unread') node = readNode(blocks, root, cid, path)
    return node
  }
  return {
    identity: () => {
      const here = read()
      return here?.type === 'symlink' ? linkIdentity(blocks, root, path, here.target) : cid.toV1().toString()
    },
    entries: () => {
      const here = read()
      return here?.type === 'directory' || here?.type === 'hamt'
        ? children(blocks, root, here, path)
        : undefined
    },
  }
}

function* children(blocks: BlockGetter, root: CID, node: UnixfsNode, path: readonly string[]) {
  for (const { name, cid } of list(blocks, node)) {
    yield [name, treeNode(blocks, root, cid, [...path, name])] as const
  }
}

/** Undefined for what is a leaf without looking, and for what is not UnixFS: a link to it shows the mount's error there. */
function readNode(blocks: BlockGetter, root: CID, cid: CID, path: readonly string[]): UnixfsNode | undefined {
  if (cid.code === RAW) return undefined
  try {
    const node = decodeNode(cid, blocks.get(cid))
    // Packages with `bin -> usr/bin`, as merged-/usr distributions have it: the programs are what is meant.
    const followed =
      node.type === 'symlink' && path.length === 1 ? follow(blocks, root, path)?.node : undefined
    return followed?.type === 'directory' || followed?.type === 'hamt' ? followed : node
  } catch (error) {
    if (hasCode(error, 'NOT_UNIXFS')) return undefined
    throw error
  }
}

// Two symlinks with one text may lead to different files, each in its own package: adopted packages have
// bin/x -> ../x in all versions. What they lead to tells whether they are the same.
function linkIdentity(blocks: BlockGetter, root: CID, path: readonly string[], target: string): string {
  return follow(blocks, root, path)?.cid.toV1().toString() ?? `link to ${target}`
}

function follow(blocks: BlockGetter, root: CID, path: readonly string[]) {
  try {
    return resolvePath(blocks, root, path.join('/'), { followLinks: true })
  } catch (error) {
    // A link that leads nowhere, or out of the package, is only its own text.
    if (hasCode(error, 'NOT_FOUND', 'NOT_DIRECTORY', 'NOT_UNIXFS')) return undefined
    throw error
  }
}
