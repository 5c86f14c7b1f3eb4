// Links from one DAG to another, through a mount: absolute, of the length that lstat(2)
// says, the same whatever the store is called by, and stored as they were.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  symlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { withAdd } from '../../src/store/add/add.ts'
import { exportTree } from '../../src/store/export.ts'
import { importTree } from '../../src/store/import/import-tree.ts'
import { buildTree } from '../../src/store/import/tree.ts'
import { Store } from '../../src/store/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { MountedStore, mountedStore, NO_MOUNT } from './mounted.ts'

const skip = NO_MOUNT

/** A package, and an environment whose bin/ leads to it link by link, and whose share is one link. */
async function environment(store: Store) {
  return withAdd(store, async (add) => {
    const file = (text: string) => ({ content: Buffer.from(text) })
    const { cid: one } = await buildTree(add, [
      { path: 'bin/x', ...file('x') },
      { path: 'lib/y', ...file('y') },
      { path: 'bin/y', link: '../lib/y' },
      { path: 'share/doc/z', ...file('z') },
    ])
    const { cid } = await buildTree(add, [
      { path: 'bin/x', link: `../../${one}/bin/x` },
      { path: 'bin/y', link: `../../${one}/bin/y` },
      { path: 'bin/outside', link: '../../..' },
      { path: 'share', link: `../${one}/share` },
    ])
    const { cid: around } = await buildTree(add, [
      { path: 'packages/env', cid, size: 1 },
      { path: 'top', link: `../${cid}/bin` },
    ])
    return { one, cid, around }
  })
}

test('a link to another DAG is absolute, and lstat(2) says its length', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const { one, cid, around } = await environment(mounted.store)
  const store = join(realpathSync(mounted.store.paths.root), 'store')
  const shown = {
    'bin/x': `${store}/${one}/bin/x`,
    'bin/y': `${store}/${one}/bin/y`,
    'bin/outside': '../../..',
    share: `${store}/${one}/share`,
  }
  // Listed first: what the kernel keeps of a link comes from there.
  assert.deepEqual(readdirSync(mounted.path(cid, 'bin')).sort(), ['outside', 'x', 'y'])
  for (const [path, target] of Object.entries(shown)) {
    assert.equal(lstatSync(mounted.path(cid, path)).size, target.length)
    for (let times = 0; times < 3; times++) assert.equal(readlinkSync(mounted.path(cid, path)), target)
  }
  assert.equal(readFileSync(mounted.path(cid, 'bin/y'), 'utf8'), 'y')
  assert.equal(readFileSync(mounted.path(cid, 'share/doc/z'), 'utf8'), 'z')
  assert.equal(readlinkSync(mounted.path(one, 'bin/y')), '../lib/y')
  assert.equal(readlinkSync(mounted.path(around, 'top')), `${store}/${cid}/bin`)
  // Where the same environment lies deeper its links lead to nothing beside the root.
  assert.equal(readlinkSync(mounted.path(around, 'packages/env/bin/x')), `../../${one}/bin/x`)
})

test('a symlink to the prefix, and a bind mount of it, show the same link', { skip }, async (t) => {
  const undo: (() => unknown)[] = []
  // Before the directory is removed, which hooks of later registration would come after.
  t.after(async () => {
    for (const step of undo.reverse()) await step()
  })
  const directory = await temporaryDirectory(t)
  mkdirSync(join(directory, 'disk'))
  mkdirSync(join(directory, 'bound'))
  symlinkSync('disk', join(directory, 'called'))
  const mounted = new MountedStore(Store.open(join(directory, 'called', 'prefix')))
  undo.push(
    () => mounted.store.close(),
    () => mounted.close(),
  )
  await mounted.start()
  const { one, cid } = await environment(mounted.store)
  const target = join(realpathSync(directory), 'disk', 'prefix', 'store', String(one), 'bin', 'x')
  execFileSync('mount', ['--bind', mounted.store.paths.store, join(directory, 'bound')])
  undo.push(() => execFileSync('umount', ['-l', join(directory, 'bound')]))
  for (const store of [
    mounted.store.paths.store,
    join(directory, 'disk/prefix/store'),
    join(directory, 'bound'),
  ]) {
    assert.equal(readlinkSync(join(store, String(cid), 'bin', 'x')), target)
    assert.equal(readFileSync(join(store, String(cid), 'bin', 'x'), 'utf8'), 'x')
  }
})

test('what is got from the store, or added from its mount, keeps its CID', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const { one, cid } = await environment(mounted.store)
  const add = (path: string) =>
    withAdd(mounted.store, async (session) => (await importTree(session, path)).cid.toString())
  const copy = join(await temporaryDirectory(t), 'copy')
  await exportTree(mounted.store, cid, copy)
  assert.equal(readlinkSync(join(copy, 'bin', 'x')), `../../${one}/bin/x`)
  assert.equal(await add(copy), cid.toString())
  assert.equal(await add(mounted.path(cid)), cid.toString())
})
