// Which CIDs a block links to: what reachability, and so the collector, stands on.

import * as dagCbor from '@ipld/dag-cbor'
import * as dagJson from '@ipld/dag-json'
import { hasCode, PkgError } from '../../errors.ts'
import { asLink, type CID, DAG_CBOR, DAG_JSON, DAG_PB } from '../cid.ts'
import { packDagPbLinks } from './dag-pb.ts'
import type { IndexNode } from './index-db.ts'
import { packLinks, unpackLinks } from './packed-links.ts'

/** Nodes of other codecs may nest as deep as a block is long; deeper than this is no data of anybody's. */
const MAX_NESTING = 1024

/**
 * The links of a block in the order they stand in it, repeated where they are.
 * A codec that we do not know has none that we can see: such a block is kept or
 * lost alone. Throws BAD_NODE, naming the CID, for bytes that are not of its codec.
 */
export function linksOf(cid: CID, bytes: Uint8Array): CID[] {
  if (cid.code === DAG_PB) return unpackLinks(packedLinksOf(cid, bytes))
  if (cid.code === DAG_CBOR) return naming(cid, () => linksIn(dagCbor.decode(bytes)))
  if (cid.code === DAG_JSON) return naming(cid, () => linksIn(dagJson.decode(bytes)))
  return []
}

/** The same, packed (packed-links.ts): a block can have so many that an object for each is too much. */
export function packedLinksOf(cid: CID, bytes: Uint8Array): Buffer {
  return cid.code === DAG_PB ? naming(cid, () => packDagPbLinks(bytes)) : packLinks(linksOf(cid, bytes))
}

function naming<T>(cid: CID, decode: () => T): T {
  try {
    return decode()
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new PkgError('BAD_NODE', `block ${cid} is not a node of its codec: ${why}`, { cause })
  }
}

function linksIn(value: unknown, depth = 0): CID[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return []
  const cid = asLink(value)
  if (cid) return [cid]
  if (depth > MAX_NESTING) throw new Error(`it nests deeper than ${MAX_NESTING} levels`)
  return Object.values(value).flatMap((child) => linksIn(child, depth + 1))
}

/**
 * The node for the index that a block is, in a list. None for a block that has no links, and for
 * one that is not what its codec says: it may lie here, and shows as an error to who reads it.
 */
export function indexNodesOf(cid: CID, bytes: Uint8Array): IndexNode[] {
  try {
    const packed = packedLinksOf(cid, bytes)
    return packed.length > 0 ? [{ cid, packed }] : []
  } catch (error) {
    if (hasCode(error, 'BAD_NODE')) return []
    throw error
  }
}
