// A registry's DAG: read by path, so that a look-up by name costs a handful of
// blocks, and changed by path, so that a new version rewrites its record, its
// shard, the list of shards and the root, whatever else the registry holds.
// The same records are the same root, whether added one by one or all at once.

import { hasCode, PkgError } from '../errors.ts'
import type { AddSession } from '../store/add/add.ts'
import type { BlockGetter } from '../store/blocks/blocks.ts'
import type { CID } from '../store/cid.ts'
import { buildTree, type TreeEntry } from '../store/import/tree.ts'
import { list } from '../store/unixfs/directory.ts'
import { decodeNode, type UnixfsNode } from '../store/unixfs/node.ts'
import { readFile } from '../store/unixfs/read.ts'
import { resolvePath } from '../store/unixfs/resolve.ts'
import {
  decodeHeader,
  encodeHeader,
  PACKAGES,
  packageOfFile,
  REGISTRY_FILE,
  type RegistryHeader,
  recordPath,
  shardOf,
} from './layout.ts'
import { encodeRecord, type PackageRecord } from './record.ts'
import { decodeRecord } from './record-read.ts'

/** A record of 10,000 versions takes some 4 MiB; a larger one is no record. */
const MAX_RECORD_BYTES = 16 * 1024 * 1024

/** What a part of a registry that is lost, damaged or malformed makes a reader throw. */
const DAMAGE = [
  ...(['MISSING_BLOCK', 'CORRUPT_BLOCK', 'BAD_NODE', 'BAD_REGISTRY', 'UNSUPPORTED'] as const),
  ...(['NOT_FOUND', 'NOT_UNIXFS', 'NOT_DIRECTORY', 'NOT_FILE'] as const),
]

/** True when a registry cannot be read, or a part of it: the others can be all the same. */
export function isDamage(error: unknown): error is PkgError {
  return hasCode(error, ...DAMAGE)
}

/** Records to set; undefined takes a package out. */
export type RecordChanges = ReadonlyMap<string, PackageRecord | undefined>

/** Makes a registry's DAG from all its records. The caller commits and links it. */
export async function buildRegistry(
  add: AddSession,
  name: string,
  records: Iterable<PackageRecord> = [],
): Promise<CID> {
  return (await buildTree(add, registryEntries(name, records))).cid
}

function* registryEntries(name: string, records: Iterable<PackageRecord>): Generator<TreeEntry> {
  yield { path: REGISTRY_FILE, content: encodeHeader(name) }
  // Also when it stays empty: an emptied registry equals a new one.
  yield { path: PACKAGES, directory: true }
  for (const record of records) yield { path: recordPath(record.name), content: encodeRecord(record) }
}

/**
 * The root after `changes`. Reads and writes only the shards that they touch; the
 * caller commits and links it. Throws BAD_REGISTRY when `root` is no registry.
 */
export async function updateRecords(add: AddSession, root: CID, changes: RecordChanges): Promise<CID> {
  readHeader(add.store.blocks, root)
  return (await buildTree(add, changedEntries(add.store.blocks, root, changes))).cid
}

function* changedEntries(getter: BlockGetter, root: CID, changes: RecordChanges): Generator<TreeEntry> {
  const touched = new Set([...changes.keys()].map(shardOf))
  for (const { name, cid, tsize } of list(getter, root)) {
    if (name !== PACKAGES) yield { path: name, cid, size: tsize ?? 0 }
  }
  yield { path: PACKAGES, directory: true }
  for (const { name: shard, cid, tsize } of list(getter, packagesOf(getter, root))) {
    if (touched.has(shard)) yield* keptRecords(getter, `${PACKAGES}/${shard}`, cid, changes)
    else yield { path: `${PACKAGES}/${shard}`, cid, size: tsize ?? 0 }
  }
  for (const [name, record] of changes) {
    if (record) yield { path: recordPath(name), content: encodeRecord(record) }
  }
}

function* keptRecords(
  getter: BlockGetter,
  path: string,
  shard: CID,
  changes: RecordChanges,
): Generator<TreeEntry> {
  for (const { name, cid, tsize } of list(getter, shard)) {
    const changed = changes.has(packageOfFile(name) ?? '')
    if (!changed) yield { path: `${path}/${name}`, cid, size: tsize ?? 0 }
  }
}

/**
 * A package's record; undefined when the registry has none of that name.
 * Throws BAD_REGISTRY for a record that cannot be used, MISSING_BLOCK.
 */
export function readRecord(getter: BlockGetter, root: CID, name: string): PackageRecord | undefined {
  let node: UnixfsNode
  try {
    node = resolvePath(getter, root, recordPath(name)).node
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND')) return undefined
    throw error
  }
  return readRecordNode(getter, node, name)
}

/** Like `readRecord`, for a record whose CID is known already. */
export function readRecordAt(getter: BlockGetter, cid: CID, name: string): PackageRecord {
  return readRecordNode(getter, decodeNode(cid, getter.get(cid)), name)
}

function readRecordNode(getter: BlockGetter, node: UnixfsNode, name: string): PackageRecord {
  return decodeRecord(readSmallFile(getter, node, `the record of ${JSON.stringify(name)}`), name)
}

/** What a registry calls itself. Throws BAD_REGISTRY when `root` is not a registry's. */
export function readHeader(getter: BlockGetter, root: CID): RegistryHeader {
  let node: UnixfsNode
  try {
    node = resolvePath(getter, root, REGISTRY_FILE).node
  } catch (cause) {
    if (!hasCode(cause, 'NOT_FOUND', 'NOT_DIRECTORY', 'NOT_UNIXFS')) throw cause
    throw new PkgError('BAD_REGISTRY', `${root} is not a registry: it has no ${REGISTRY_FILE}`, { cause })
  }
  return decodeHeader(readSmallFile(getter, node, `the ${REGISTRY_FILE} of ${root}`), String(root))
}

function readSmallFile(getter: BlockGetter, node: UnixfsNode, what: string): Uint8Array {
  if (node.type === 'file' && node.size <= MAX_RECORD_BYTES) return readFile(getter, node)
  throw new PkgError('BAD_REGISTRY', `${what} is not a file of at most ${MAX_RECORD_BYTES} bytes`)
}

/** The names of all packages, shard by shard. */
export function* packageNames(getter: BlockGetter, root: CID): Generator<string> {
  for (const { cid } of list(getter, packagesOf(getter, root))) {
    for (const { name } of list(getter, cid)) {
      const found = packageOfFile(name)
      if (found !== undefined) yield found
    }
  }
}

/** The directory that holds the shards. */
export function packagesOf(getter: BlockGetter, root: CID): CID {
  return resolvePath(getter, root, PACKAGES).cid
}
