import assert from 'node:assert/strict'
import { mkdirSync, readlinkSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import { hasCode } from '../../src/errors.ts'
import { findRecord, resolve } from '../../src/install/resolve.ts'
import { encodeManifest, type Manifest } from '../../src/packages/manifest.ts'
import { currentPlatform } from '../../src/packages/platform.ts'
import { listPins } from '../../src/pins/pins.ts'
import { createRegistry, openRegistry } from '../../src/registry/directory.ts'
import { publish, unpublish } from '../../src/registry/publish.ts'
import { type Found, search } from '../../src/registry/search.ts'
import { addRegistry, listRegistries, removeRegistry } from '../../src/registry/subscribe.ts'
import { readRecord } from '../../src/registry/tree.ts'
import { updateRegistry } from '../../src/registry/update.ts'
import { withAdd } from '../../src/store/add/add.ts'
import type { CID } from '../../src/store/cid.ts'
import { buildTree } from '../../src/store/import/tree.ts'
import { missingBlocks } from '../../src/store/links/closure.ts'
import { Store } from '../../src/store/store.ts'
import { createPackage, openHome, publishNew } from './home.ts'

test('created, published, subscribed to: a name resolves to the CID', async (t) => {
  const home = await openHome(t)
  await createRegistry(home.store, home.registry, { name: 'main' })
  const old = await publishNew(home, 'tool', '1.0.0')
  const cid = await publishNew(home, 'tool', '1.1.0', { description: 'a tool' })
  await addRegistry(home.store, { name: 'mine', source: home.registry })
  const found = await resolve(home.store, 'tool')
  assert.deepEqual(
    { ...found, cid: String(found.cid) },
    {
      name: 'tool',
      version: '1.1.0',
      cid: String(cid),
      registry: 'mine',
      requested: 'tool',
    },
  )
  assert.ok((await resolve(home.store, 'tool@1.0')).cid.equals(old))
  const { record } = await findRecord(home.store, 'tool')
  assert.equal(record.description, 'a tool')
  assert.ok((record.versions[0]?.platforms[0]?.size ?? 0) > 0)
})

test('a plain look-up opens no database', async (t) => {
  const home = await openHome(t)
  await createRegistry(home.store, home.registry)
  await publishNew(home, 'tool', '1.0.0')
  await addRegistry(home.store, { name: 'mine', source: home.registry })
  const store = Store.open(home.store.paths.root)
  Object.defineProperty(store, 'index', { get: () => assert.fail('the index was opened') })
  assert.equal((await resolve(store, 'tool')).version, '1.0.0')
})

test('publishing pins the package, and the registry keeps its own DAG', async (t) => {
  const home = await openHome(t)
  const { root } = await createRegistry(home.store, home.registry)
  assert.equal(readlinkSync(join(home.registry, 'root')), join(home.store.paths.store, String(root)))
  const cid = await publishNew(home, 'tool', '1.0.0')
  const pins = (await listPins(home.store)).map(({ kind, prog, cid }) => `${kind} ${prog} ${cid}`)
  const now = openRegistry(home.store, home.registry).root
  assert.deepEqual(pins.sort(), [`auto registry ${now}`, `pin tool ${cid}`])
})

test('publishing the same package again changes nothing', async (t) => {
  const home = await openHome(t)
  await createRegistry(home.store, home.registry)
  const cid = await createPackage(home.store, 'tool', '1.0.0')
  const first = await publish(home.store, home.registry, cid)
  const second = await publish(home.store, home.registry, cid, { published: new Date(0) })
  assert.deepEqual([first.changed, second.changed], [true, false])
  assert.ok(second.root.equals(first.root))
})

test('another package under a published version is refused', async (t) => {
  const home = await openHome(t)
  await createRegistry(home.store, home.registry)
  await publishNew(home, 'tool', '1.0.0')
  const other = createPackage(home.store, 'tool', '1.0.0', { description: 'other' })
  await assert.rejects(publish(home.store, home.registry, await other), (error) => hasCode(error, 'EXISTS'))
})

test('publishers at the same time all take effect', async (t) => {
  const home = await openHome(t)
  await createRegistry(home.store, home.registry)
  const names = Array.from({ length: 8 }, (_, index) => `tool-${index}`)
  const others = names.map(() => Store.open(home.store.paths.root))
  t.after(() => {
    for (const store of others) store.close()
  })
  const cids = await Promise.all(names.map((name) => createPackage(home.store, name, '1.0.0')))
  await Promise.all(cids.map((cid, index) => publish(others[index] as Store, home.registry, cid)))
  const { root } = openRegistry(home.store, home.registry)
  for (const name of names) assert.ok(readRecord(home.store.blocks, root, name), name)
})

test('what is taken out of a registry is gone from it', async (t) => {
  const home = await openHome(t)
  const { root } = await createRegistry(home.store, home.registry)
  await publishNew(home, 'tool', '1.0.0')
  await publishNew(home, 'tool', '2.0.0')
  const left = await unpublish(home.store, home.registry, 'tool', '2.0.0')
  assert.deepEqual(
    readRecord(home.store.blocks, left, 'tool')?.versions.map(({ version }) => version),
    ['1.0.0'],
  )
  assert.ok((await unpublish(home.store, home.registry, 'tool')).equals(root))
  await assert.rejects(unpublish(home.store, home.registry, 'tool'), (error) => hasCode(error, 'NO_PACKAGE'))
})

test('a subscription stays at its root until it is updated', async (t) => {
  const home = await openHome(t)
  await createRegistry(home.store, home.registry)
  await publishNew(home, 'tool', '1.0.0')
  const { root } = await addRegistry(home.store, { name: 'mine', source: home.registry })
  await publishNew(home, 'tool', '2.0.0')
  assert.equal((await resolve(home.store, 'tool')).version, '1.0.0')
  const [updated] = await updateRegistry(home.store)
  assert.ok(updated?.changed && updated.before?.equals(root))
  assert.equal((await resolve(home.store, 'tool')).version, '2.0.0')
  const pins = (await listPins(home.store)).filter(({ prog }) => prog === 'registry-mine')
  assert.deepEqual(
    pins.map(({ cid }) => String(cid)),
    [String(updated?.root)],
  )
  assert.equal((await updateRegistry(home.store, ['mine']))[0]?.changed, false)
})

test('a root CID can be subscribed to, and never changes', async (t) => {
  const home = await openHome(t)
  await createRegistry(home.store, home.registry)
  await publishNew(home, 'tool', '1.0.0')
  const { root } = openRegistry(home.store, home.registry)
  await addRegistry(home.store, { name: 'fixed', source: String(root) })
  await publishNew(home, 'tool', '2.0.0')
  await updateRegistry(home.store)
  assert.equal((await resolve(home.store, 'tool')).version, '1.0.0')
})

test('registries are asked in the order in which they were added', async (t) => {
  const home = await openHome(t)
  const second = { ...home, registry: join(home.directory, 'second') }
  await createRegistry(home.store, home.registry)
  await createRegistry(home.store, second.registry)
  await publishNew(home, 'tool', '1.0.0')
  await publishNew(second, 'tool', '9.0.0')
  await addRegistry(home.store, { name: 'z-first', source: home.registry })
  await new Promise((resolve) => setTimeout(resolve, 2))
  await addRegistry(home.store, { name: 'a-second', source: second.registry })
  assert.deepEqual(
    listRegistries(home.store).map(({ name }) => name),
    ['z-first', 'a-second'],
  )
  assert.equal((await resolve(home.store, 'tool')).version, '1.0.0')
  assert.equal((await resolve(home.store, 'tool', { registry: 'a-second' })).version, '9.0.0')
})

test('removing a subscription unpins its root; its name can be used again', async (t) => {
  const home = await openHome(t)
  await createRegistry(home.store, home.registry)
  await addRegistry(home.store, { name: 'mine', source: home.registry })
  const other = addRegistry(home.store, { name: 'mine', source: join(home.directory, 'else') })
  await assert.rejects(other, (error) => hasCode(error, 'EXISTS'))
  await removeRegistry(home.store, 'mine')
  assert.deepEqual(listRegistries(home.store), [])
  assert.deepEqual(
    (await listPins(home.store)).filter(({ prog }) => prog === 'registry-mine'),
    [],
  )
  await assert.rejects(removeRegistry(home.store, 'mine'), (error) => hasCode(error, 'NOT_FOUND'))
})

test('a directory that is no registry, and a name that is none, are refused', async (t) => {
  const home = await openHome(t)
  const adding = addRegistry(home.store, { name: 'x', source: home.directory })
  await assert.rejects(adding, (error) => hasCode(error, 'BAD_REGISTRY'))
  await assert.rejects(addRegistry(home.store, { name: '../x', source: home.registry }), (error) =>
    hasCode(error, 'BAD_NAME'),
  )
  await createRegistry(home.store, home.registry)
  await assert.rejects(createRegistry(home.store, home.registry), (error) => hasCode(error, 'EXISTS'))
})

test('a registry directory that was moved is watched at its new place from the next change on', async (t) => {
  const home = await openHome(t)
  await createRegistry(home.store, home.registry)
  const moved = { ...home, registry: join(home.directory, 'moved') }
  renameSync(home.registry, moved.registry)
  await publishNew(moved, 'tool', '1.0.0')
  const paths = (await listPins(home.store)).filter(({ kind }) => kind === 'auto').map(({ path }) => path)
  assert.ok(paths.includes(join(moved.registry, 'root')))
})

test('search finds words and parts of names, and follows updates', async (t) => {
  const home = await openHome(t)
  await createRegistry(home.store, home.registry)
  await publishNew(home, 'esbuild', '0.25.0', { description: 'An extremely fast bundler for the web' })
  await publishNew(home, 'esbuild-wasm', '0.25.0', { description: 'The same, slower' })
  await publishNew(home, 'jq', '1.7.1', { description: 'Command-line JSON processor' })
  await addRegistry(home.store, { name: 'mine', source: home.registry })
  const names = (text: string) => search(home.store, text).map(({ name }) => name)
  assert.deepEqual(names('esb'), ['esbuild', 'esbuild-wasm'])
  assert.deepEqual(names('build'), ['esbuild', 'esbuild-wasm'])
  assert.deepEqual(names('fast web'), ['esbuild'])
  assert.deepEqual(names('json'), ['jq'])
  assert.deepEqual(names('jq'), ['jq'])
  assert.deepEqual(names('100%'), [])
  assert.deepEqual(names('"AND* OR'), [])
  // All there is comes by name, whatever is shorter.
  assert.deepEqual(names(''), ['esbuild', 'esbuild-wasm', 'jq'])
  assert.deepEqual(names(' '), names(''))
  const [{ size, ...jq }] = search(home.store, 'jq') as [Found]
  assert.ok(size > 0)
  assert.deepEqual(jq, {
    name: 'jq',
    programs: ['jq'],
    description: 'Command-line JSON processor',
    version: '1.7.1',
    registry: 'mine',
  })
  await unpublish(home.store, home.registry, 'jq')
  await publishNew(home, 'esbuild', '0.26.0', { description: 'now a linker' })
  await updateRegistry(home.store)
  assert.deepEqual(names('jq'), [])
  assert.deepEqual(names('bundler'), [])
  assert.equal(search(home.store, 'linker')[0]?.version, '0.26.0')
  await removeRegistry(home.store, 'mine')
  assert.deepEqual(names('esb'), [])
})

test('a damaged search index is built again', async (t) => {
  const home = await openHome(t)
  await createRegistry(home.store, home.registry)
  await publishNew(home, 'tool', '1.0.0')
  await addRegistry(home.store, { name: 'mine', source: home.registry })
  assert.equal(search(home.store, 'tool').length, 1)
  writeFileSync(home.store.paths.search, 'no database')
  assert.equal(search(home.store, 'tool').length, 1)
})

test('a collection takes old roots and nothing of the registry or its packages; search goes on', async (t) => {
  const home = await openHome(t)
  await createRegistry(home.store, home.registry)
  await publishNew(home, 'tool', '1.0.0')
  const { root: old } = await addRegistry(home.store, { name: 'mine', source: home.registry })
  assert.equal(search(home.store, 'tool').length, 1)
  await publishNew(home, 'other', '1.0.0')
  await updateRegistry(home.store)
  await runCollection(home.store)
  assert.equal(home.store.blocks.has(old), false)
  for (const name of ['tool', 'other']) {
    const { cid } = await resolve(home.store, name)
    assert.deepEqual(missingBlocks(home.store, cid), [])
    assert.deepEqual(
      search(home.store, name).map((found) => found.name),
      [name],
    )
  }
  assert.deepEqual(missingBlocks(home.store, openRegistry(home.store, home.registry).root), [])
})

test('a name that is nearly right says which one is', async (t) => {
  const home = await openHome(t)
  await assert.rejects(
    resolve(home.store, 'tool'),
    (error) => hasCode(error, 'NO_PACKAGE') && /registry add/.test(error.hint ?? ''),
  )
  await createRegistry(home.store, home.registry)
  await publishNew(home, 'esbuild', '1.0.0')
  await addRegistry(home.store, { name: 'mine', source: home.registry })
  await assert.rejects(
    resolve(home.store, 'esbuidl'),
    (error) => hasCode(error, 'NO_PACKAGE') && error.hint === 'Did you mean esbuild?',
  )
  await assert.rejects(
    resolve(home.store, 'esbuild@^2'),
    (error) => hasCode(error, 'NO_VERSION') && error.message.includes('1.0.0'),
  )
})

test('a build for another platform is not chosen', async (t) => {
  const home = await openHome(t)
  await createRegistry(home.store, home.registry)
  const { os } = currentPlatform()
  await publishNew(home, 'tool', '1.0.0', { platforms: [{ os, arch: 'other' }] })
  await addRegistry(home.store, { name: 'mine', source: home.registry })
  await assert.rejects(resolve(home.store, 'tool'), (error) => hasCode(error, 'NO_VERSION'))
  assert.equal((await resolve(home.store, 'tool', { platform: { os, arch: 'other' } })).version, '1.0.0')
  const { root } = openRegistry(home.store, home.registry)
  const cid = readRecord(home.store.blocks, root, 'tool')?.versions[0]?.platforms[0]?.cid
  await assert.rejects(resolve(home.store, String(cid)), (error) => hasCode(error, 'UNSUPPORTED'))
})

test('a package may be named by CID, by store path, by a link to there, by a program, by a directory', async (t) => {
  const { store, directory } = await openHome(t)
  const cid = await createPackage(store, 'tool', '1.0.0')
  const environment = await withAdd(store, async (add) => {
    const link = `../../${cid}/bin/tool`
    return (await buildTree(add, [{ path: 'bin/tool', link }])).cid
  })
  symlinkSync(join(store.paths.store, String(environment)), join(directory, 'profile'))
  symlinkSync('profile/bin/tool', join(directory, 'program'))
  symlinkSync(join(store.paths.store, String(cid)), join(directory, 'package'))
  symlinkSync('loop', join(directory, 'loop'))
  const hex = `f${Buffer.from(cid.bytes).toString('hex')}`
  const specs = [String(cid), hex, `/ipfs/${cid}`, `ipfs://${cid}`, join(store.paths.store, hex)]
  specs.push(join(directory, 'package'), join(directory, 'program'), join(directory, 'profile/bin/tool'))
  for (const spec of specs) {
    const found = await resolve(store, spec)
    assert.equal(`${found.name}@${found.version} ${found.cid}`, `tool@1.0.0 ${cid}`, spec)
    assert.equal(found.registry, undefined)
  }
  const nowhere = [
    join(directory, 'loop'),
    join(directory, 'none'),
    join(store.paths.store, 'x'),
    `${cid}/none`,
  ]
  for (const spec of nowhere)
    await assert.rejects(resolve(store, spec), (error) => hasCode(error, 'NOT_FOUND'), spec)
  await assert.rejects(resolve(store, join(directory, 'profile')), (error) => hasCode(error, 'BAD_MANIFEST'))
})

test('a directory is packed, and can be pinned while it is protected', async (t) => {
  const { store, directory } = await openHome(t)
  const place = join(directory, 'source')
  mkdirSync(join(place, 'bin'), { recursive: true })
  mkdirSync(join(place, '.pkg'))
  writeFileSync(join(place, 'bin/hello'), '#!/bin/sh\n', { mode: 0o755 })
  const manifest: Manifest = { format: 1, name: 'hello', version: '1.0.0', programs: ['hello'] }
  writeFileSync(join(place, '.pkg/manifest.json'), encodeManifest(manifest))
  let kept: CID | undefined
  const keep = (packed: { cid: CID }) => {
    kept = packed.cid
  }
  const found = await resolve(store, place, { pack: { keep } })
  assert.equal(found.name, 'hello')
  assert.ok(kept?.equals(found.cid))
})
