// Stores in temp directories, and blocks and CARs to fill them with.

import type { TestContext } from 'node:test'
import { encode as encodeCbor } from '@ipld/dag-cbor'
import { withAdd } from '../../src/store/add/add.ts'
import type { Block } from '../../src/store/add/writer.ts'
import { type ImportCarOptions, type ImportedCar, importCar } from '../../src/store/car/read.ts'
import type { CID } from '../../src/store/cid.ts'
import { Store } from '../../src/store/store.ts'
import { concat, type Dag, varint } from '../fixtures/dag.ts'
import { temporaryDirectory } from './temp.ts'

/** An empty store that is closed and removed when the test ends. */
export async function temporaryStore(t: TestContext): Promise<Store> {
  const store = Store.open(await temporaryDirectory(t))
  t.after(() => store.close())
  return store
}

/** Writes all blocks of a DAG that a test made in memory. */
export async function putDag(store: Store, dag: Dag): Promise<void> {
  await withAdd(store, (add) => add.put([...dag.blocks.values()]))
}

/** A CAR of version 1. */
export function car(roots: CID[], blocks: Iterable<Block>): Uint8Array {
  const header = encodeCbor({ version: 1, roots })
  const sections = [...blocks].flatMap(({ cid, bytes }) => [
    varint(cid.bytes.length + bytes.length),
    cid.bytes,
    bytes,
  ])
  return concat([varint(header.length), header, ...sections])
}

/** `inner` wrapped in a CAR of version 2; `lies` replaces what its header would say. */
export function car2(
  inner: Uint8Array,
  {
    padding = 0,
    index = '',
    ...lies
  }: { padding?: number; index?: string } & Partial<Record<'offset' | 'size' | 'indexOffset', number>> = {},
): Uint8Array {
  const offset = lies.offset ?? 51 + padding
  const size = lies.size ?? inner.length
  const header = Buffer.alloc(40)
  header.writeBigUInt64LE(BigInt(offset), 16)
  header.writeBigUInt64LE(BigInt(size), 24)
  header.writeBigUInt64LE(BigInt(lies.indexOffset ?? (index === '' ? 0 : offset + size)), 32)
  const pragma = encodeCbor({ version: 2 })
  return concat([varint(pragma.length), pragma, header, new Uint8Array(padding), inner, index])
}

/** The bytes in pieces of `size`, as a network would bring them. */
export async function* inPieces(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** Imports a CAR in a session of its own, and commits what is whole. */
export function importBytes(
  store: Store,
  bytes: Uint8Array,
  options: ImportCarOptions = {},
): Promise<ImportedCar> {
  return withAdd(store, async (add) => {
    const imported = await importCar(add, inPieces(bytes), options)
    await add.commit(imported.complete)
    return imported
  })
}

/** All bytes of a stream. */
export async function collect(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of source) pieces.push(piece)
  return concat(pieces)
}
