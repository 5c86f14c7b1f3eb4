// The CAR reader: versions 1 and 2, headers, varints, sections.

import assert from 'node:assert/strict'
import { encode as encodeCbor } from '@ipld/dag-cbor'
import type { Block } from '../../../src/store/add/writer.ts'
import { verifyBlock } from '../../../src/store/blocks/hash.ts'
import { parseCar } from '../../../src/store/car/parse.ts'
import { linksOf } from '../../../src/store/links/links.ts'
import { concat, Dag, identityCid, varint } from '../../fixtures/dag.ts'
import { car, car2, inPieces } from '../../helpers/store.ts'
import { bytesOf, codeOfRefusal, type Target } from '../target.ts'

const dag = new Dag()
const root = dag.directory({ file: dag.raw('content'), link: dag.symlink('file') })
const plain = car([root], dag.blocks.values())
const odd = car([root, identityCid(bytesOf('inside'))], [])
const header = (value: unknown) => {
  const bytes = encodeCbor(value as never)
  return concat([varint(bytes.length), bytes])
}

// {"roots": [{"/": "a", "bytes": "a"}], "version": 1}: the library takes such a map for a CID.
const falseRoot = concat([
  Uint8Array.of(0x20),
  Buffer.from('a265726f6f747381a2612f616165627974657361616776657273696f6e01', 'hex'),
])

export const target: Target = {
  name: 'car',
  seeds: [
    plain,
    odd,
    car2(plain, { padding: 3, index: 'an index' }),
    car2(plain),
    falseRoot,
    header({ version: 1, roots: [[[[[]]]]] }),
    header({ version: 3 }),
  ],
  dictionary: [
    header({ version: 1, roots: [] }),
    header({ version: 2 }),
    encodeCbor({ version: 1 }),
    encodeCbor(root),
    root.bytes,
    identityCid(bytesOf('x')).bytes,
    ...['version', 'roots', 'bytes', '/', 'multihash', 'asCID', '__proto__'].map((text) => encodeCbor(text)),
    Uint8Array.of(0xd8, 0x2a, 0x58),
    Uint8Array.of(0x9f),
    Uint8Array.of(0xbb),
    Uint8Array.of(0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81),
  ],
  async run(input) {
    const [whole, pieces] = [
      await readAll(input, input.length + 1),
      await readAll(input, 1 + (input[0] ?? 0)),
    ]
    // How the bytes are cut on their way makes no difference.
    assert.deepEqual(plainOf(pieces), plainOf(whole))
    if ('code' in whole) return whole.code

    const again = await readAll(car(whole.roots, whole.blocks), 100)
    assert.ok('blocks' in again, `written and read again: ${'code' in again && again.code}`)
    assert.deepEqual(plainOf(again), { ...plainOf(whole), version: 1 })
    return `${whole.version} ${whole.blocks.map(use).join(' ')}`.slice(0, 60)
  },
}

type Read = { version: number; roots: Parameters<typeof car>[0]; blocks: Block[] } | { code: string }

async function readAll(bytes: Uint8Array, size: number): Promise<Read> {
  try {
    const { version, roots, blocks } = await parseCar(inPieces(bytes, size))
    const read: Block[] = []
    for await (const block of blocks) read.push(block)
    for (const cid of roots) assert.ok(String(cid).length > 0)
    return { version, roots, blocks: read }
  } catch (error) {
    return { code: codeOfRefusal(error) }
  }
}

/** What an import does with a block. */
function use({ cid, bytes }: Block): string {
  try {
    verifyBlock(cid, bytes)
    for (const link of linksOf(cid, bytes)) assert.ok(link.multihash.bytes.length > 0 && String(link))
    return `${cid.code}`
  } catch (error) {
    return codeOfRefusal(error)
  }
}

/** What can be compared: Buffers and other views of the same bytes differ otherwise. */
function plainOf(read: Read) {
  if ('code' in read) return read
  const blocks = read.blocks.map(({ cid, bytes }) => `${cid} ${Buffer.from(bytes).toString('base64')}`)
  return { version: read.version, roots: read.roots.map(String), blocks }
}
