// One UnixFS message, held against the reference decoder.

import assert from 'node:assert/strict'
import { UnixFS } from 'ipfs-unixfs'
import { DAG_PB } from '../../../src/store/cid.ts'
import { decodeData, TYPE, type UnixfsData } from '../../../src/store/unixfs/data.ts'
import { decodeNode } from '../../../src/store/unixfs/node.ts'
import { statOf } from '../../../src/store/unixfs/stat.ts'
import { storedSeconds } from '../../../src/store/unixfs/times.ts'
import { concat, Dag, field, pbNode, unixfs } from '../../fixtures/dag.ts'
import { bytesOf, refusing, type Target } from '../target.ts'

const TYPES = ['raw', 'directory', 'file', 'metadata', 'symlink', 'hamt-sharded-directory']

export const target: Target = {
  name: 'unixfs',
  seeds: [
    unixfs({
      type: 2,
      data: 'inline',
      filesize: 6,
      mode: 0o104755,
      mtime: { seconds: -1, nanoseconds: 999_999_999 },
    }),
    unixfs({ type: 2, filesize: 8, blocksizes: [4, 4] }),
    concat([unixfs({ type: 2 }), field(4, Uint8Array.of(1, 0x80, 1, 3))]),
    unixfs({ type: 1, mode: 0o7777 }),
    unixfs({ type: 5, data: Uint8Array.of(1, 0x80), hashType: 0x22, fanout: 256 }),
    unixfs({ type: 4, data: '../target' }),
    unixfs({ type: 3 }),
    unixfs({ type: 0, data: 'raw', filesize: 3, mtime: { seconds: 2 ** 53 - 1 } }),
  ],
  dictionary: [
    field(1, 5),
    field(3, 0),
    field(8, concat([field(1, -1)])),
    concat([field(8, Uint8Array.of(0x08, 0x01, 0x15, 0xff, 0xc9, 0x9a, 0x3b))]),
    Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
    bytesOf('\0'),
  ],
  run(input) {
    const message = refusing(() => decodeData(input))
    // It takes packed numbers, which parsers have to accept, for something else.
    if (!('code' in message) && !input.includes(0x22)) compare(input, message)
    const dag = new Dag()
    const leaf = dag.raw('leaf')
    let outcome = ''
    for (const links of [0, 1, 2]) {
      const cid = dag.put(
        pbNode(
          input,
          Array.from({ length: links }, () => ({ cid: leaf, name: '0Fx' })),
        ),
        DAG_PB,
      )
      const node = refusing(() => decodeNode(cid, dag.get(cid)))
      outcome += 'code' in node ? `${node.code} ` : `${node.type} `
      if ('code' in node) continue
      const { size, mode, mtime } = statOf(node)
      assert.ok(Number.isSafeInteger(size) && size >= 0)
      assert.equal(mode & ~0o777, 0, 'no bit but permissions is shown')
      assert.equal(node.type === 'symlink' ? 0 : mode & 0o222, 0, 'nothing can be written')
      assert.ok(Number.isSafeInteger(mtime.seconds) && mtime.nanoseconds >= 0 && mtime.nanoseconds < 1e9)
    }
    return outcome
  },
}

/** Where both read it, both read the same; we refuse fields that are there twice. */
function compare(bytes: Uint8Array, ours: UnixfsData): void {
  let theirs: UnixFS
  try {
    theirs = UnixFS.unmarshal(bytes)
  } catch {
    return
  }
  // It cuts an enumeration to 32 bits; a type that does not exist is refused by us.
  if (ours.type >= TYPES.length) return
  assert.equal(TYPES.indexOf(theirs.type), ours.type)
  assert.ok(Object.values(TYPE).includes(ours.type as never))
  assert.deepEqual(Buffer.from(theirs.data ?? []), Buffer.from(ours.data ?? []))
  const exact = (size: bigint) =>
    size > BigInt(Number.MAX_SAFE_INTEGER) ? Number.POSITIVE_INFINITY : Number(size)
  assert.deepEqual(theirs.blockSizes.map(exact), ours.blocksizes)
  if (theirs.fanout !== undefined) assert.equal(exact(theirs.fanout), ours.fanout)
  if (theirs.mtime !== undefined) {
    assert.ok(ours.mtime)
    const read = { secs: storedSeconds(ours.mtime), nsecs: ours.mtime.nanoseconds }
    assert.deepEqual({ secs: BigInt(theirs.mtime.secs), nsecs: theirs.mtime.nsecs ?? 0 }, read)
  }
}
