// The UnixFS fixtures of ipfs/gateway-conformance through the mount. The trees are
// made anew down to their published CIDs; the CARs themselves, which also hold the
// bytes of "multiblock.txt", are read where GATEWAY_CONFORMANCE_FIXTURES names them.

import assert from 'node:assert/strict'
import { createReadStream, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isErrno } from '../../src/errors.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { sha256 } from '../../src/store/blocks/hash.ts'
import { importCar } from '../../src/store/car/read.ts'
import * as conformance from '../fixtures/conformance.ts'
import { Dag } from '../fixtures/dag.ts'
import { mountedStore, NO_MOUNT } from './mounted.ts'

const { MULTIBLOCK_SHA256, PERCENT_NAME, ROOTS } = conformance
const CARS = [
  'path_gateway_unixfs/dir-with-files.car',
  'trustless_gateway_car/single-layer-hamt-with-multi-block-files.car',
]
const FIXTURES = process.env.GATEWAY_CONFORMANCE_FIXTURES

test('the published trees have the expected names and bytes', { skip: NO_MOUNT }, async (t) => {
  const mounted = await mountedStore(t)
  const dag = new Dag()
  conformance.directoryWithFiles(dag)
  conformance.directoryWithSymlink(dag)
  conformance.directoryWithPercentName(dag)
  conformance.shardedDirectory(dag)
  await mounted.put(dag)

  const files = mounted.path(ROOTS.files)
  assert.deepEqual(readdirSync(files), ['ascii-copy.txt', 'ascii.txt', 'hello.txt', 'multiblock.txt'])
  assert.equal(readFileSync(join(files, 'hello.txt'), 'utf8'), 'hello world\n')
  assert.equal(readFileSync(join(files, 'ascii.txt'), 'utf8'), 'hello application/vnd.ipld.car\n')
  // Its blocks are not in the recipe: an error at that name, and only there.
  assert.throws(
    () => readFileSync(join(files, 'multiblock.txt')),
    (error) => isErrno(error, 'EIO'),
  )
  assert.equal(readlinkSync(mounted.path(ROOTS.symlink, 'bar')), 'foo')
  assert.equal(readFileSync(mounted.path(ROOTS.symlink, 'bar'), 'utf8'), 'content\n')
  const percent = readFileSync(mounted.path(ROOTS.percent, PERCENT_NAME), 'utf8')
  assert.equal(percent, 'hello from a percent encoded filename\n')
  const numbers = readdirSync(mounted.path(ROOTS.hamt)).map((name) => Number(name.replace('.txt', '')))
  assert.deepEqual(
    numbers.sort((a, b) => a - b),
    Array.from({ length: 1000 }, (_, index) => index + 1),
  )
})

test('the published CARs are read whole', {
  skip: NO_MOUNT || !FIXTURES ? 'no mount or no CARs here' : false,
}, async (t) => {
  const mounted = await mountedStore(t)
  for (const name of CARS) {
    const car = createReadStream(join(FIXTURES as string, name))
    await withAdd(mounted.store, (add) => importCar(add, car))
  }
  const inFiles = mounted.path(ROOTS.files, 'multiblock.txt')
  assert.equal(statSync(inFiles).size, 1026)
  for (const file of [inFiles, mounted.path(ROOTS.hamt, '507.txt')]) {
    assert.equal(Buffer.from(sha256(readFileSync(file))).toString('hex'), MULTIBLOCK_SHA256)
  }
})
