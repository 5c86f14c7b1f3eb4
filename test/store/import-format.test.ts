// The bytes of the nodes that an import makes, against the published vectors and
// against ipfs-unixfs-importer with the same profile.

import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { decode } from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import { makeDirectory } from '../../src/store/import/directory.ts'
import { encodeNode, fileData, type Link } from '../../src/store/import/encode.ts'
import { makeFileTree } from '../../src/store/import/file-tree.ts'
import { CHUNK_BYTES } from '../../src/store/import/format.ts'
import { type Making, makeLeaf, makeSmallFile, makeSymlink, unpackCid } from '../../src/store/import/nodes.ts'
import * as vectors from '../fixtures/cid-profiles.ts'
import { libraryImport } from '../helpers/library-import.ts'

/** Runs a Making to its end; gives its result and how many blocks it made. */
function make<T extends { cid: string }>(making: Making<T>): { cid: string; result: T; blocks: number } {
  let blocks = 0
  for (;;) {
    const step = making.next()
    if (step.done) return { cid: unpackCid(step.value.cid).toString(), result: step.value, blocks }
    blocks += 1
  }
}

function makeFile(content: Uint8Array, executable = false) {
  if (content.length <= CHUNK_BYTES) return make(makeSmallFile(content, executable))
  const leaves = []
  for (let at = 0; at < content.length; at += CHUNK_BYTES) {
    leaves.push(make(makeLeaf(content.subarray(at, at + CHUNK_BYTES))).result)
  }
  return make(makeFileTree(leaves, executable))
}

const oneByte = make(makeLeaf(Buffer.from('x'))).result
const named = (names: string[]): Link[] => names.map((name) => ({ name, ...oneByte }))

test('vector: a small file is a raw leaf', () => {
  assert.equal(makeFile(Buffer.from('hello world')).cid, vectors.SMALL_FILE)
})

test('vector: an empty file', () => {
  assert.equal(makeFile(Buffer.alloc(0)).cid, vectors.EMPTY_FILE)
})

test('vector: a file of exactly one chunk', () => {
  assert.equal(makeFile(vectors.seededBytes(vectors.CHUNK_SEED)(CHUNK_BYTES)).cid, vectors.FILE_AT_CHUNK_SIZE)
})

test('vector: a file one byte over the chunk size', () => {
  assert.equal(
    makeFile(vectors.seededBytes(vectors.CHUNK_SEED)(CHUNK_BYTES + 1)).cid,
    vectors.FILE_OVER_CHUNK_SIZE,
  )
})

test('vectors: a file of exactly 1,024 chunks, and one byte over it', () => {
  const next = vectors.seededBytes(vectors.LINKS_SEED)
  const leaves = Array.from({ length: 1024 }, () => make(makeLeaf(next(CHUNK_BYTES))).result)
  assert.equal(make(makeFileTree(leaves, false)).cid, vectors.FILE_AT_MAX_LINKS)
  leaves.push(make(makeLeaf(next(1))).result)
  assert.equal(make(makeFileTree(leaves, false)).cid, vectors.FILE_OVER_MAX_LINKS)
})

test('vector: an empty directory', () => {
  assert.equal(make(makeDirectory([])).cid, vectors.EMPTY_DIRECTORY)
})

test('vector: a directory of exactly 256 KiB stays one block', () => {
  const made = make(makeDirectory(named(vectors.directoryNames(21))))
  assert.deepEqual([made.cid, made.blocks], [vectors.DIRECTORY_AT_THRESHOLD, 1])
})

test('vector: a directory one byte over 256 KiB is a HAMT', () => {
  const made = make(makeDirectory(named(vectors.directoryNames(22))))
  assert.equal(made.cid, vectors.DIRECTORY_OVER_THRESHOLD)
  assert.ok(made.blocks > 256)
})

test('the order of the entries does not matter, neither below nor above the threshold', () => {
  for (const length of [21, 22]) {
    const entries = named(vectors.directoryNames(length))
    const reversed = make(makeDirectory(entries.toReversed())).cid
    assert.equal(reversed, make(makeDirectory(entries)).cid)
  }
})

test('names are sorted by their bytes, not by UTF-16 units', async () => {
  const names = ['\u{1F600}', '\uFF5E', 'a', 'A', '\uFEFFa', 'é', 'e\u0301']
  const library = await libraryImport(names.map((path) => ({ path, content: Buffer.from('x') })))
  assert.equal(make(makeDirectory(named(names))).cid, library.cid)
})

test('executable files equal the library, with one chunk and with more', async () => {
  for (const length of [0, 1, 5, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES]) {
    const content = vectors.seededBytes('executable')(length)
    const library = await libraryImport([{ path: 'x', content, mode: 0o755 }], { wrap: false })
    const ours = makeFile(content, true)
    assert.deepEqual([ours.cid, ours.result.size], [library.cid, library.size], `${length} bytes`)
  }
})

test('symlinks equal the library', async () => {
  for (const link of ['a', '../b/c', 'ünï/☃', 'x'.repeat(4095)]) {
    const library = await libraryImport([{ path: 'l', link }], { wrap: false })
    const ours = make(makeSymlink(link))
    assert.deepEqual([ours.cid, ours.result.size], [library.cid, library.size])
  }
})

test('a HAMT of 8,000 names equals the library, its size and its blocks too', async () => {
  const names = Array.from({ length: 8000 }, (_, index) => `entry ${index} ☃`)
  const content = Buffer.from('x')
  const library = await libraryImport(names.map((path) => ({ path, content })))
  const ours = make(makeDirectory(named(names)))
  assert.deepEqual(
    [ours.cid, ours.result.size, ours.blocks],
    [library.cid, library.size, library.blocks.size - 1],
  )
})

test('sizes of every length are encoded right', () => {
  // Not compared with the library's encoder: protons-runtime 7.1.2 writes 2^31 to 2^32 - 1 wrong.
  for (const size of [
    1,
    127,
    128,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 40 + 1,
    Number.MAX_SAFE_INTEGER,
  ]) {
    const { Data, Links } = decode(
      encodeNode([{ name: '', cid: oneByte.cid, size }], fileData(undefined, [size], false)),
    )
    assert.deepEqual([Links[0]?.Tsize, Links[0]?.Name], [size, ''])
    assert.deepEqual(UnixFS.unmarshal(Data ?? Buffer.alloc(0)).blockSizes, [BigInt(size)])
  }
})

test('two names with the same hash are refused, naming one', () => {
  const entries = named(vectors.directoryNames(22))
  const twice = [...entries, entries[7]!]
  assert.throws(() => make(makeDirectory(twice)), {
    code: 'UNSUPPORTED',
    message: new RegExp(entries[7]!.name),
  })
})
