// Packages as they lie in the store: reading a manifest out of a DAG, and the sizes that a link to a DAG carries.
// Loads the reading side of the store only.

import { hasCode, PkgError } from '../errors.ts'
import type { BlockGetter } from '../store/blocks/blocks.ts'
import type { CID } from '../store/cid.ts'
import { DAG_PB } from '../store/cid.ts'
import { decodeDagPb } from '../store/links/dag-pb.ts'
import { readFile } from '../store/unixfs/read.ts'
import { resolvePath } from '../store/unixfs/resolve.ts'
import { MANIFEST_PATH, MAX_MANIFEST_BYTES, type Manifest, parseManifest } from './manifest.ts'

/**
 * The manifest of the package with this root. Members that this version does not know are ignored.
 * Throws BAD_MANIFEST when the DAG is no package or its manifest is wrong, UNSUPPORTED for a later format,
 * MISSING_BLOCK and CORRUPT_BLOCK.
 */
export function readManifest(blocks: BlockGetter, root: CID): Manifest {
  const where = `${MANIFEST_PATH} of ${root}`
  const { cid, node } = findManifest(blocks, root)
  if (node.type !== 'file' || node.size > MAX_MANIFEST_BYTES) {
    throw new PkgError('BAD_MANIFEST', `${where} is not a file of at most ${MAX_MANIFEST_BYTES} bytes`)
  }
  return parseManifest(readFile(blocks, cid), where, { unknown: 'ignore' })
}

/**
 * The size that a DAG link to `cid` carries: the bytes of its block and, by its own links, of all below it.
 * Read from the root block alone, so that every machine gives the same link and with it the same CID.
 * A block that is linked twice counts twice: where links do not lie, the closure has this size at most.
 */
export function linkSize(blocks: BlockGetter, cid: CID): number {
  const bytes = blocks.get(cid)
  if (cid.code !== DAG_PB) return bytes.length
  return decodeDagPb(bytes).links.reduce((sum, { tsize }) => sum + (tsize ?? 0), bytes.length)
}

/** The same for a listing, which one lost block must not end: undefined when the root cannot be read. */
export function tryLinkSize(blocks: BlockGetter, cid: CID): number | undefined {
  try {
    return linkSize(blocks, cid)
  } catch (error) {
    if (hasCode(error, 'MISSING_BLOCK', 'CORRUPT_BLOCK', 'BAD_NODE', 'UNSUPPORTED')) return undefined
    throw error
  }
}

function findManifest(blocks: BlockGetter, root: CID): ReturnType<typeof resolvePath> {
  try {
    return resolvePath(blocks, root, MANIFEST_PATH)
  } catch (cause) {
    if (!hasCode(cause, 'NOT_FOUND', 'NOT_DIRECTORY', 'NOT_UNIXFS')) throw cause
    throw new PkgError('BAD_MANIFEST', `${root} is not a package: it has no ${MANIFEST_PATH}`, {
      hint: `Make a package of it: pkg pack --from ${root} --as <name>@<version> --bin <path>`,
      cause,
    })
  }
}
