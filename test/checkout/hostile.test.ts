// Hostile DAGs: nothing is written outside of a checkout, and none costs more than is there.

import assert from 'node:assert/strict'
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import { DEPENDENCIES_PATH, MANIFEST_PATH } from '../../src/packages/manifest.ts'
import { ENVIRONMENT_FILE, PACKAGES_DIRECTORY } from '../../src/profiles/environment.ts'
import { checkOut, missingCheckouts } from '../../src/store/checkout/check-out.ts'
import { checkoutPath } from '../../src/store/checkout/names.ts'
import { LINK_PLACES } from '../../src/store/checkout/siblings.ts'
import type { CID } from '../../src/store/cid.ts'
import { Dag } from '../fixtures/dag.ts'
import { directoryOfBadNames, laughingDirectory } from '../fixtures/hostile.ts'
import { putDag, temporaryStore } from '../helpers/store.ts'

test('names that no file system can hold are left out, the others are there', async (t) => {
  const store = await temporaryStore(t)
  const dag = new Dag()
  const { cid, left } = directoryOfBadNames(dag)
  await putDag(store, dag)
  const { made } = await checkOut(store, cid)
  assert.equal(made[0]?.figures.leftOut.length, left)
  assert.ok(readdirSync(checkoutPath(store.paths, cid)).length > 0)
  assert.deepEqual(readdirSync(store.paths.store).sort(), ['.files', cid.toV1().toString()])
})

test('setuid, setgid and sticky are never given', async (t) => {
  const store = await temporaryStore(t)
  const dag = new Dag()
  const cid = dag.leaf('#!/bin/sh\n', { mode: 0o7777 })
  await putDag(store, dag)
  await checkOut(store, cid)
  assert.equal(lstatSync(checkoutPath(store.paths, cid)).mode & 0o7777, 0o555)
})

test('a DAG of a few blocks that stands for 2^60 files is refused at once', async (t) => {
  const store = await temporaryStore(t)
  const dag = new Dag()
  const cid = laughingDirectory(dag, 60)
  await putDag(store, dag)
  await assert.rejects(checkOut(store, cid), (error) => hasCode(error, 'NO_SPACE'))
  assert.deepEqual(readdirSync(store.paths.store), ['.files'])
})

test('a tree deeper than a path may be is refused, and nothing is left of it', async (t) => {
  const store = await temporaryStore(t)
  const dag = new Dag()
  let cid = dag.directory({})
  for (let level = 0; level < 25; level++) cid = dag.directory({ ['d'.repeat(200)]: cid })
  await putDag(store, dag)
  await assert.rejects(checkOut(store, cid), (error) => hasCode(error, 'UNSUPPORTED'))
  assert.deepEqual(readdirSync(store.paths.store), ['.files'])
})

/** A package that depends on these. */
function packageOf(dag: Dag, name: string, dependencies: Record<string, CID>): CID {
  const meta = dag.directory({
    'manifest.json': dag.raw(`{"name":"${name}"}`),
    dependencies: dag.directory(dependencies),
  })
  return dag.directory({ '.pkg': meta, name: dag.raw(name) })
}

test('a package that many depend on is there once, however deep the diamonds are', async (t) => {
  const store = await temporaryStore(t)
  const dag = new Dag()
  let top = packageOf(dag, 'base', {})
  for (let level = 0; level < 40; level++) top = packageOf(dag, `level${level}`, { left: top, right: top })
  await putDag(store, dag)
  assert.equal(missingCheckouts(store, top).length, 41)
  await checkOut(store, top)
  assert.equal(readdirSync(store.paths.store).filter((name) => !name.startsWith('.')).length, 41)
  const way = Array.from({ length: 40 }, (_, level) => `.pkg/dependencies/${level % 2 ? 'left' : 'right'}`)
  const base = join(checkoutPath(store.paths, top), ...way.slice(0, 39), 'name')
  assert.equal(readFileSync(base, 'utf8'), 'level0')
})

test('where packages are linked is what environments and packages call it', () => {
  assert.deepEqual(
    LINK_PLACES.map(({ mark, directory }) => [mark, directory]),
    [
      [ENVIRONMENT_FILE, PACKAGES_DIRECTORY],
      [MANIFEST_PATH, DEPENDENCIES_PATH],
    ],
  )
})
