// Times that no file system keeps, from before 1970 to beyond 2^53 seconds, in valid nodes: clamped
// where they are shown, kept where they are stored, and never in the way of the bytes.

import assert from 'node:assert/strict'
import { lstatSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { xattrsOf } from '../../src/mount/attributes.ts'
import { checkOut } from '../../src/store/checkout/check-out.ts'
import { checkoutPath } from '../../src/store/checkout/names.ts'
import { verifyCheckouts } from '../../src/store/checkout/repair.ts'
import { exportTree } from '../../src/store/export.ts'
import { stat } from '../../src/store/unixfs/stat.ts'
import { Dag } from '../fixtures/dag.ts'
import { putDag, temporaryStore } from '../helpers/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { mountedStore, NO_MOUNT } from '../mount/mounted.ts'

const SAFE = BigInt(Number.MAX_SAFE_INTEGER)
const TIMES = [
  -1n,
  -86_400n * 365n,
  -(2n ** 31n),
  -(2n ** 31n) - 1n,
  -(2n ** 40n),
  2n ** 31n,
  2n ** 34n,
  2n ** 40n,
  SAFE,
  -SAFE,
  SAFE + 1n,
  2n ** 60n + 1n,
  2n ** 63n - 1n,
  -(2n ** 63n),
]

const dag = new Dag()
const entries = TIMES.flatMap((seconds, at): [string, ReturnType<Dag['leaf']>][] => [
  [`file${at}`, dag.leaf(`content ${seconds}`, { mtime: { seconds, nanoseconds: 999_999_999 } })],
  [`directory${at}`, dag.directory({ below: dag.raw('below') }, { mtime: { seconds } })],
])
const root = dag.directory(Object.fromEntries(entries))

function checkContent(at: (name: string) => string): void {
  for (const [index, seconds] of TIMES.entries()) {
    assert.equal(readFileSync(at(`file${index}`), 'utf8'), `content ${seconds}`)
    assert.equal(readFileSync(join(at(`directory${index}`), 'below'), 'utf8'), 'below')
  }
}

test('the mount shows the nearest that can be shown, and the stored one as an attribute', {
  skip: NO_MOUNT,
}, async (t) => {
  const mounted = await mountedStore(t)
  const { exactTimes } = (await mounted.status()) as unknown as { exactTimes: boolean }
  await mounted.put(dag)
  checkContent((name) => mounted.path(root, name))
  for (const [index, seconds] of TIMES.entries()) {
    const { mtimeNs } = statSync(mounted.path(root, `file${index}`), { bigint: true })
    const nearest = seconds > SAFE ? SAFE : seconds < -SAFE ? -SAFE : seconds
    if (exactTimes) assert.equal((mtimeNs - 999_999_999n) / 1_000_000_000n, nearest)
  }
})

test('the attribute has the stored time in full', () => {
  for (const [index, seconds] of TIMES.entries()) {
    const [, cid] = entries[2 * index] as (typeof entries)[0]
    assert.equal(String(xattrsOf(cid, stat(dag, cid)).get('ipfs.mtime')), `${seconds}.999999999`)
  }
})

test('a copy has them as its file system keeps them', async (t) => {
  const store = await temporaryStore(t)
  await putDag(store, dag)
  const out = join(await temporaryDirectory(t), 'tree')
  await exportTree(store, root, out)
  checkContent((name) => join(out, name))
  const years = 365 * 86_400_000
  assert.equal(lstatSync(join(out, 'file1')).mtimeMs, -years + 1000)
  assert.equal(lstatSync(join(out, 'directory1')).mtimeMs, -years)
  for (const name of ['file7', 'directory7', 'file12']) {
    assert.ok(lstatSync(join(out, name)).mtimeMs >= (2 ** 31 - 1) * 1000, name)
  }
})

test('a checkout with them is whole', async (t) => {
  const store = await temporaryStore(t)
  await putDag(store, dag)
  await checkOut(store, root)
  checkContent((name) => join(checkoutPath(store.paths, root), name))
  const { entries: looked, damaged } = await verifyCheckouts(store)
  assert.equal(looked, 1 + 3 * TIMES.length)
  assert.deepEqual(damaged, [])
})
