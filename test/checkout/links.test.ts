// Links from one checkout to another are absolute; trees of an earlier version, of a
// prefix that was moved, and of one that was copied are brought up to date.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  lstatSync,
  lutimesSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { withAdd } from '../../src/store/add/add.ts'
import { checkOut } from '../../src/store/checkout/check-out.ts'
import { checkoutPath } from '../../src/store/checkout/names.ts'
import { verifyCheckouts } from '../../src/store/checkout/repair.ts'
import type { CID } from '../../src/store/cid.ts'
import { buildTree } from '../../src/store/import/tree.ts'
import { Store } from '../../src/store/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

const LINKS = ['bin/x', 'share', 'packages/one'] as const

/** An environment over one package, checked out in `<directory>/prefix`. */
async function checkedOut(t: TestContext) {
  const directory = await temporaryDirectory(t)
  const prefix = join(directory, 'prefix')
  const store = Store.open(prefix)
  let open = true
  const close = () => {
    if (open) store.close()
    open = false
  }
  t.after(close)
  const { one, cid } = await withAdd(store, async (add) => {
    const { cid: one, size } = await buildTree(add, [
      { path: 'bin/x', content: Buffer.from('x'), executable: true },
      { path: 'share/z', content: Buffer.from('z') },
    ])
    const { cid } = await buildTree(add, [
      { path: 'environment.json', content: Buffer.from('{}') },
      { path: 'bin/x', link: `../../${one}/bin/x` },
      { path: 'bin/own', link: '/usr/bin/own' },
      { path: 'share', link: `../${one}/share` },
      { path: 'packages/one', cid: one, size },
    ])
    await checkOut(store, cid)
    return { one, cid }
  })
  return { directory, prefix, store, close, one, cid }
}

function assertShown(prefix: string, cid: CID, one: CID): void {
  const store = join(realpathSync(prefix), 'store')
  const tree = join(store, String(cid))
  const ends = ['bin/x', 'share', ''].map((path) => join(store, String(one), path).replace(/\/$/, ''))
  assert.deepEqual(
    LINKS.map((path) => readlinkSync(join(tree, path))),
    ends,
  )
  for (const path of LINKS) {
    const stats = lstatSync(join(tree, path))
    assert.equal(stats.size, readlinkSync(join(tree, path)).length)
    assert.equal(stats.mtimeMs, 0)
  }
  assert.equal(readlinkSync(join(tree, 'bin/own')), '/usr/bin/own')
  for (const path of ['', 'bin', 'packages']) {
    const { mode, mtimeMs } = lstatSync(join(tree, path))
    assert.deepEqual([mode & 0o777, mtimeMs], [0o555, 0])
  }
  assert.equal(readFileSync(join(tree, 'bin/x'), 'utf8'), 'x')
}

/** As an earlier version made them: relative, and with nothing that says where they lead. */
function makeOld(store: Store, cid: CID, one: CID): void {
  const targets = [`../../${one}/bin/x`, `../${one}/share`, `../${one}`]
  for (const [index, path] of LINKS.entries()) {
    const place = join(checkoutPath(store.paths, cid), path)
    chmodSync(dirname(place), 0o755)
    rmSync(place)
    symlinkSync(index === 2 ? `../${targets[2]}` : (targets[index] as string), place)
    lutimesSync(place, 0, 0)
    chmodSync(dirname(place), 0o555)
    lutimesSync(dirname(place), 0, 0)
  }
  rmSync(store.paths.checkoutLinks)
}

test('links between checkouts are absolute', async (t) => {
  const { store, prefix, one, cid } = await checkedOut(t)
  assertShown(prefix, cid, one)
  assert.deepEqual((await verifyCheckouts(store)).damaged, [])
})

test('trees of an earlier version verify as they are, and are brought up to date', async (t) => {
  const { store, prefix, one, cid } = await checkedOut(t)
  makeOld(store, cid, one)
  assert.deepEqual((await verifyCheckouts(store, { repair: false })).damaged, [])
  assert.match(readlinkSync(join(checkoutPath(store.paths, cid), 'bin/x')), /^\.\.\//)
  await checkOut(store, cid)
  assertShown(prefix, cid, one)
  makeOld(store, cid, one)
  assert.deepEqual((await verifyCheckouts(store)).damaged, [])
  assertShown(prefix, cid, one)
})

test('one that is killed while it brings them up to date leaves the rest to the next', async (t) => {
  const { store, prefix, one, cid } = await checkedOut(t)
  makeOld(store, cid, one)
  const child = [join(import.meta.dirname, 'child.ts'), prefix, String(cid)]
  const env = { ...process.env, PKG_TEST_KILL_AT: 'checkout:relinked' }
  assert.equal(spawnSync(process.execPath, child, { env, stdio: 'ignore' }).signal, 'SIGKILL')
  await checkOut(store, cid)
  assertShown(prefix, cid, one)
})

test('a prefix that was moved: its links lead nowhere until trees are asked for', async (t) => {
  const { directory, prefix, close, one, cid } = await checkedOut(t)
  close()
  const moved = join(directory, 'moved')
  renameSync(prefix, moved)
  const store = Store.open(moved)
  t.after(() => store.close())
  const { damaged } = await verifyCheckouts(store, { repair: false })
  assert.deepEqual(damaged.map(({ path }) => path).sort(), LINKS.map((path) => `/${path}`).sort())
  await checkOut(store, cid)
  assertShown(moved, cid, one)
  assert.deepEqual((await verifyCheckouts(store)).damaged, [])
})

test('a copy of a prefix leads to itself, and the original stays as it is', async (t) => {
  const { directory, prefix, one, cid } = await checkedOut(t)
  const copied = join(directory, 'copied')
  cpSync(prefix, copied, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
  const store = Store.open(copied)
  t.after(() => store.close())
  assert.deepEqual(
    (await verifyCheckouts(store)).damaged.filter(({ repaired }) => !repaired),
    [],
  )
  for (const path of LINKS) {
    assert.match(readlinkSync(join(checkoutPath(store.paths, cid), path)), /\/copied\/store\//)
  }
  assertShown(prefix, cid, one)
})

test('what a DAG itself calls by the old place stays as it is', async (t) => {
  const { directory, prefix, close, store } = await checkedOut(t)
  const own = join(prefix, 'store', 'bafkqaaa')
  const cid = await withAdd(store, async (add) => {
    const { cid } = await buildTree(add, [{ path: 'bin/own', link: own }])
    await checkOut(store, cid)
    return cid
  })
  close()
  const moved = join(directory, 'moved')
  renameSync(prefix, moved)
  const after = Store.open(moved)
  t.after(() => after.close())
  await checkOut(after, cid)
  assert.equal(readlinkSync(join(checkoutPath(after.paths, cid), 'bin/own')), own)
})

test('a prefix that is called by a symlink has the links of the one it leads to', async (t) => {
  const { directory, prefix, one, cid } = await checkedOut(t)
  symlinkSync('prefix', join(directory, 'called'))
  const store = Store.open(join(directory, 'called'))
  t.after(() => store.close())
  const before = lstatSync(store.paths.checkoutLinks).ino
  await checkOut(store, cid)
  assertShown(prefix, cid, one)
  assert.equal(lstatSync(store.paths.checkoutLinks).ino, before)
  assert.deepEqual(
    readdirSync(join(prefix, 'store')).filter((name) => /^\.(tmp|dead)-/.test(name)),
    [],
  )
})
