// What lies in the place of a block's file and is none: damage, found in bounded time.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { test } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { rawCid } from '../../src/store/blocks/hash.ts'
import { verifyStore } from '../../src/store/verify/verify.ts'
import { temporaryStore } from '../helpers/store.ts'

const bytes = Buffer.from('hello')
const cid = rawCid(bytes)

const kinds: Record<string, (file: string) => void> = {
  'a FIFO': (file) => execFileSync('mkfifo', [file]),
  'an empty directory': (file) => mkdirSync(file),
  'a directory with a file': (file) => {
    mkdirSync(file)
    writeFileSync(`${file}/precious`, '')
  },
  'a link to the right bytes': (file) => {
    renameSync(file, `${file}.elsewhere`)
    symlinkSync(`${file}.elsewhere`, file)
  },
  'a link to an endless device': (file) => symlinkSync('/dev/zero', file),
}

for (const [kind, plant] of Object.entries(kinds)) {
  const prepare = async (t: Parameters<typeof temporaryStore>[0]) => {
    const store = await temporaryStore(t)
    const put = () => withAdd(store, (add) => add.put([{ cid, bytes }]))
    await put()
    const file = store.blocks.file(cid)
    if (!kind.startsWith('a link to the right')) unlinkSync(file)
    plant(file)
    return { store, file, put }
  }

  test(`${kind} in a block's place is a damaged block, and goes to the quarantine`, async (t) => {
    const { store, file } = await prepare(t)
    assert.throws(
      () => store.blocks.get(cid),
      (error) => hasCode(error, 'CORRUPT_BLOCK'),
    )
    assert.equal(lstatSync(file, { throwIfNoEntry: false }), undefined)
    assert.equal(readdirSync(store.paths.quarantine).length, 1)
    assert.throws(
      () => store.blocks.get(cid),
      (error) => hasCode(error, 'MISSING_BLOCK'),
    )
  })

  test(`${kind} in a block's place is healed by adding the block`, async (t) => {
    const { store, file, put } = await prepare(t)
    assert.equal(store.blocks.has(cid), false)
    await put()
    assert.deepEqual(Buffer.from(store.blocks.get(cid)), bytes)
    assert.ok(lstatSync(file).isFile())
  })

  test(`${kind} in a block's place is found by verify, and no obstacle to deleting the block`, async (t) => {
    const { store, file } = await prepare(t)
    const { corrupt } = await verifyStore(store, { repair: false })
    assert.equal(corrupt.length, 1)
    store.blocks.delete(cid)
    assert.equal(lstatSync(file, { throwIfNoEntry: false }), undefined)
  })
}

test('a directory whose name is taken in the quarantine gets another one', async (t) => {
  const store = await temporaryStore(t)
  const file = store.blocks.file(cid)
  for (let round = 1; round <= 2; round++) {
    kinds['a directory with a file']?.(file)
    assert.throws(
      () => store.blocks.get(cid),
      (error) => hasCode(error, 'CORRUPT_BLOCK'),
    )
    assert.equal(readdirSync(store.paths.quarantine).length, round)
  }
})
