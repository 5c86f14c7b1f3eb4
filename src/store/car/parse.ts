// CAR files as a stream of blocks: version 1, and version 2 around it.
// Every length is checked before memory is taken for it (invariant 7); whether
// blocks hash to their CIDs is the reader's business (read.ts).
// Sources: https://ipld.io/specs/transport/car/carv1/ and …/carv2/

import { decode as decodeCbor } from '@ipld/dag-cbor'
import { PkgError } from '../../errors.ts'
import type { Block } from '../add/writer.ts'
import { MAX_BLOCK_BYTES } from '../blocks/block-file.ts'
import { asLink, type CID, decodeFirstCid } from '../cid.ts'
import { ByteSource } from './bytes.ts'

/** Some 25,000 roots. Real headers have one root and 60 bytes. */
const MAX_HEADER_BYTES = 1024 * 1024
/** A section is a CID and a block: more than any CID of ours, identity ones included. */
const MAX_SECTION_BYTES = MAX_BLOCK_BYTES + 256
/** Version 2: the 11 bytes of its first header have been read, this is what comes next. */
const V2_PRAGMA_BYTES = 11
const V2_HEADER_BYTES = 40

export type Car = {
  version: 1 | 2
  roots: CID[]
  /** The blocks as they come, once, unverified; ends without error only where the CAR does. */
  blocks: AsyncGenerator<Block>
}

/** Reads the headers. Throws BAD_CAR, here and while the blocks are read, and closes the source then. */
export async function parseCar(source: AsyncIterable<Uint8Array>): Promise<Car> {
  const bytes = new ByteSource(source)
  try {
    const first = await readHeader(bytes)
    if (first.version === 1) return { version: 1, roots: first.roots, blocks: readAll(bytes) }
    const { end, index } = await readVersion2(bytes)
    const inner = await readHeader(bytes)
    if (inner.version !== 1 || bytes.position > end) throw badCar('its inner header is not one of version 1')
    return { version: 2, roots: inner.roots, blocks: readAll(bytes, end, index) }
  } catch (error) {
    await bytes.close()
    throw error
  }
}

async function readHeader(bytes: ByteSource): Promise<{ version: 1 | 2; roots: CID[] }> {
  const length = await bytes.takeVarint('header')
  if (length === 0 || length > MAX_HEADER_BYTES) throw badCar(`its header says that it has ${length} bytes`)
  const encoded = await bytes.take(length, 'header')
  let header: unknown
  try {
    header = decodeCbor(encoded)
  } catch (cause) {
    throw new PkgError('BAD_CAR', 'this is not a CAR: it does not begin with a header', { cause })
  }
  if (typeof header !== 'object' || header === null || !('version' in header))
    throw badCar('its header has no version')
  if (header.version === 2 && bytes.position === V2_PRAGMA_BYTES) return { version: 2, roots: [] }
  if (header.version !== 1)
    throw badCar(`its version is ${JSON.stringify(header.version)}; 1 and 2 are known here`)
  return { version: 1, roots: rootsOf(header) }
}

function rootsOf(header: object): CID[] {
  const noList = (cause?: unknown) => badCar('its header has no list of roots', cause)
  if (!('roots' in header && Array.isArray(header.roots))) throw noList()
  try {
    return header.roots.map((root) => {
      const cid = asLink(root)
      if (cid === undefined) throw noList()
      return cid
    })
  } catch (error) {
    throw error instanceof PkgError ? error : noList(error)
  }
}

/** Where the inner CAR ends, and where the index begins (0: there is none). The cursor then stands at the inner CAR. */
async function readVersion2(bytes: ByteSource): Promise<{ end: number; index: number }> {
  const header = Buffer.from(await bytes.take(V2_HEADER_BYTES, 'header of version 2'))
  // After 16 bytes of characteristics, which only say what the index covers.
  const [offset, size, index] = [16, 24, 32].map((at) => Number(header.readBigUInt64LE(at))) as [
    number,
    number,
    number,
  ]
  const end = offset + size
  const sound =
    offset >= bytes.position && size > 0 && end <= Number.MAX_SAFE_INTEGER && (index === 0 || index >= end)
  if (!sound) throw badCar(`its parts overlap: ${size} bytes of data at ${offset}, an index at ${index}`)
  await bytes.skip(offset - bytes.position, 'padding')
  return { end, index }
}

async function* readAll(bytes: ByteSource, end = Number.POSITIVE_INFINITY, index = 0): AsyncGenerator<Block> {
  try {
    while (bytes.position < end && !(end === Number.POSITIVE_INFINITY && (await bytes.atEnd()))) {
      yield await readBlock(bytes, end)
    }
    if (index > 0) await bytes.skip(index - bytes.position + 1, 'index')
    await bytes.drain()
  } finally {
    await bytes.close()
  }
}

async function readBlock(source: ByteSource, end: number): Promise<Block> {
  const at = source.position
  const length = await source.takeVarint('section')
  if (length === 0) throw badCar(`the section at byte ${at} is empty`)
  if (length > MAX_SECTION_BYTES) throw tooLarge(`section at byte ${at}`, length)
  if (source.position + length > end) throw badCar(`the section at byte ${at} reaches beyond the data`)
  const { cid, bytes } = splitSection(await source.take(length, 'section'), at)
  if (bytes.length > MAX_BLOCK_BYTES) throw tooLarge(`block ${cid}`, bytes.length)
  return { cid, bytes }
}

function splitSection(section: Uint8Array, at: number): Block {
  try {
    const [cid, bytes] = decodeFirstCid(section)
    return { cid, bytes }
  } catch (cause) {
    throw new PkgError('BAD_CAR', `the section at byte ${at} of the CAR does not begin with a CID`, { cause })
  }
}

function tooLarge(what: string, length: number): PkgError {
  return badCar(`the ${what} says that it has ${length} bytes; a block has at most ${MAX_BLOCK_BYTES}`)
}

function badCar(why: string, cause?: unknown): PkgError {
  return new PkgError('BAD_CAR', `this CAR cannot be read: ${why}`, { cause })
}
