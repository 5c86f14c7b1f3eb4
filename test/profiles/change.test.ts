// Install, remove, upgrade: generations on disk and the environments they lead to.

import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readlinkSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import { hasCode } from '../../src/errors.ts'
import { symlinkAtomic } from '../../src/files/atomic.ts'
import { linkSize } from '../../src/packages/package.ts'
import { userName } from '../../src/paths.ts'
import { autoPinName } from '../../src/pins/names.ts'
import { changeProfile } from '../../src/profiles/change.ts'
import { diffGenerations } from '../../src/profiles/diff.ts'
import { readEnvironment } from '../../src/profiles/environment.ts'
import { history } from '../../src/profiles/history.ts'
import type { InstalledPackage } from '../../src/profiles/installed.ts'
import { withoutPackages, withPackages, withUpgrades } from '../../src/profiles/operations.ts'
import { generations, openProfile, type Profile } from '../../src/profiles/profile.ts'
import { installedPackages } from '../../src/profiles/read-installed.ts'
import { rollback, switchGeneration } from '../../src/profiles/switch.ts'
import { readTempPins } from '../../src/store/add/temp-pin.ts'
import { closure, missingBlocks } from '../../src/store/links/closure.ts'
import { resolvePath } from '../../src/store/unixfs/resolve.ts'
import { createPackage, environmentShape, temporaryStore } from './fixture.ts'

const place = await temporaryStore({ after })
const { store, directory } = place
let users = 0
const newProfile = (): Profile => openProfile(store, { user: `user-${users++}` })

const install = (profile: Profile, ...packages: InstalledPackage[]) =>
  changeProfile(profile, (installed) => withPackages(installed, packages), { action: 'install' })
const remove = (profile: Profile, ...names: string[]) =>
  changeProfile(profile, (installed) => withoutPackages(installed, names), { action: 'remove' })
const names = (profile: Profile) =>
  installedPackages(profile).map(({ name, version }) => `${name}@${version}`)

/** Comparable: CIDs as their texts, whatever buffers they keep. */
const plain = (value: unknown) => JSON.parse(JSON.stringify(value))

const a1 = await createPackage(place, 'a@1.0.0')
const a2 = await createPackage(place, 'a@2.0.0')
const b1 = await createPackage(place, 'b@1.0.0', { files: { 'bin/b': 'b', 'share/man/man1/b.1': 'man b' } })
const c1 = await createPackage(place, 'c@1.0.0', { files: { 'bin/c': 'c', 'share/man/man1/c.1': 'man c' } })

test('profile: before the first generation nothing is installed', () => {
  const profile = newProfile()
  assert.deepEqual(
    [generations(profile), installedPackages(profile), history(profile).generations],
    [[], [], []],
  )
})

test('profile: the first install makes generation 1, laid out as the design says', async () => {
  const profile = newProfile()
  const result = await install(profile, a1)
  assert.deepEqual(
    plain(result),
    plain({
      changed: true,
      changes: [{ kind: 'added', name: 'a', after: a1 }],
      generation: 1,
      cid: result.cid,
    }),
  )
  assert.equal(readlinkSync(profile.currentLink), 'generations/1')
  assert.equal(readlinkSync(join(profile.generationsDir, '1')), `../../../../store/${result.cid}`)
  assert.deepEqual(environmentShape(store.blocks, result.cid!), {
    bin: '/',
    'bin/a': `../../${a1.cid}/bin/a`,
  })
  assert.equal(resolvePath(store.blocks, result.cid!, 'packages/a').cid.toString(), a1.cid.toString())
  assert.deepEqual(plain(readEnvironment(store.blocks, result.cid!)), plain([a1]))
})

test('profile: what two packages share becomes real directories', async () => {
  const { cid } = await install(newProfile(), b1, c1)
  assert.deepEqual(environmentShape(store.blocks, cid!), {
    bin: '/',
    'bin/b': `../../${b1.cid}/bin/b`,
    'bin/c': `../../${c1.cid}/bin/c`,
    share: '/',
    'share/man': '/',
    'share/man/man1': '/',
    'share/man/man1/b.1': `../../../../${b1.cid}/share/man/man1/b.1`,
    'share/man/man1/c.1': `../../../../${c1.cid}/share/man/man1/c.1`,
  })
})

test('profile: the same set has the same environment, however one came to it and under whatever prefix', async (t) => {
  const [one, other] = [newProfile(), newProfile()]
  await install(one, a1, b1)
  await install(other, b1)
  await install(other, a2)
  await install(other, a1)
  assert.equal(generations(one).at(-1)?.cid.toString(), generations(other).at(-1)?.cid.toString())
  const elsewhere = await temporaryStore(t)
  const files = { 'bin/a': '#!/bin/sh\necho a@1.0.0\n' }
  const same = await createPackage(elsewhere, 'a@1.0.0', { files })
  const { cid } = await install(openProfile(elsewhere.store, { user: 'someone' }), same)
  assert.equal(cid?.toString(), (await install(newProfile(), a1)).cid?.toString())
})

test('profile: an environment reaches its packages, and its links tell their sizes', async () => {
  const { cid } = await install(newProfile(), a1, b1)
  const reached = new Set([...closure(store, [cid!])].map(String))
  assert.ok(reached.has(a1.cid.toString()) && reached.has(b1.cid.toString()))
  assert.ok(store.index.isComplete(cid!))
  assert.ok(linkSize(store.blocks, cid!) > linkSize(store.blocks, a1.cid) + linkSize(store.blocks, b1.cid))
})

test('profile: reinstalling the same set makes no new generation', async () => {
  const profile = newProfile()
  const first = await install(profile, a1, b1)
  const again = await install(profile, b1)
  assert.deepEqual(
    plain(again),
    plain({ changed: false, changes: [], generation: 1, previous: 1, cid: first.cid }),
  )
  assert.equal(generations(profile).length, 1)
})

test('profile: upgrade keeps the priority', async () => {
  const profile = newProfile()
  await install(profile, { ...a1, priority: 3 })
  const upgrade = (installed: InstalledPackage[]) => withUpgrades(installed, [{ ...a2, requested: 'a' }, c1])
  const { changes } = await changeProfile(profile, upgrade, { action: 'upgrade' })
  assert.deepEqual(plain(installedPackages(profile)), plain([{ ...a2, requested: 'a', priority: 3 }]))
  assert.deepEqual(
    changes.map(({ kind, name }) => [kind, name]),
    [['upgraded', 'a']],
  )
})

test('profile: remove takes out one; the last one leaves an empty environment', async () => {
  const profile = newProfile()
  await install(profile, a1, b1)
  await remove(profile, 'a')
  assert.deepEqual(names(profile), ['b@1.0.0'])
  const { cid } = await remove(profile, 'b')
  assert.deepEqual(environmentShape(store.blocks, cid!), { bin: '/' })
  await assert.rejects(remove(profile, 'b'), { code: 'NO_PACKAGE', message: /b is not installed/ })
  assert.equal(generations(profile).length, 3)
})

test('profile: a collision leaves everything as it was, and a priority resolves it', async () => {
  const profile = newProfile()
  const rival = await createPackage(place, 'rival@1.0.0', { files: { 'bin/a': 'another a' } })
  await install(profile, a1)
  await assert.rejects(install(profile, rival), {
    code: 'COLLISION',
    message: 'a@1.0.0 and rival@1.0.0 both provide bin/a',
  })
  assert.deepEqual([names(profile), generations(profile).length], [['a@1.0.0'], 1])
  const { cid } = await install(profile, { ...rival, priority: 1 })
  assert.equal(environmentShape(store.blocks, cid!)['bin/a'], `../../${rival.cid}/bin/a`)
  assert.deepEqual(names(profile), ['a@1.0.0', 'rival@1.0.0'])
})

test('profile: links with one text are the same only when they lead to the same', async () => {
  const link = { 'bin/x': '-> ../x' }
  const [one, same, other] = [
    await createPackage(place, 'one@1.0.0', { files: { ...link, x: 'program' } }),
    await createPackage(place, 'same@1.0.0', { files: { ...link, x: 'program' } }),
    await createPackage(place, 'other@1.0.0', { files: { ...link, x: 'another' } }),
  ]
  await install(newProfile(), one, same)
  await assert.rejects(install(newProfile(), one, other), { code: 'COLLISION' })
})

test('profile: bin may be a link to a directory of the package', async () => {
  const merged = await createPackage(place, 'merged@1.0.0', {
    files: { bin: '-> usr/bin', 'usr/bin/m': 'm' },
  })
  const { cid } = await install(newProfile(), merged)
  assert.deepEqual(environmentShape(store.blocks, cid!), { bin: '/', 'bin/m': `../../${merged.cid}/bin/m` })
})

test('profile: a dry run says what would be, finds collisions, and writes nothing', async () => {
  const profile = newProfile()
  const dry = (...packages: InstalledPackage[]) =>
    changeProfile(profile, (installed) => withPackages(installed, packages), {
      action: 'install',
      dryRun: true,
    })
  const own = { ...a1, priority: 77 }
  const { changes, changed, generation, cid } = await dry(own)
  assert.deepEqual([changed, changes.length, generation], [true, 1, 1])
  assert.ok(!readdirSync(store.paths.profilesPerUser).includes(`user-${users - 1}`))
  assert.ok(!store.blocks.has(cid!))
  assert.ok(cid!.equals((await install(newProfile(), own)).cid!))
  const rival = await createPackage(place, 'rival@2.0.0', { files: { 'bin/a': 'third a' } })
  await assert.rejects(dry(a1, rival), { code: 'COLLISION' })
})

test('profile: a package that is not whole here is refused', async (t) => {
  const other = await temporaryStore(t)
  const profile = openProfile(other.store, { user: 'someone' })
  const broken = await createPackage(other, 'broken@1.0.0', { files: { 'bin/broken': 'x', 'lib/data': 'y' } })
  other.store.index.clearComplete()
  unlinkSync(other.store.blocks.file(resolvePath(other.store.blocks, broken.cid, 'lib/data').cid))
  await assert.rejects(install(profile, broken), { code: 'INCOMPLETE' })
  assert.deepEqual(generations(profile), [])
  assert.deepEqual(readTempPins(other.store.paths), [])
})

test('profile: an edit that throws changes nothing, and the next one runs', async () => {
  const profile = newProfile()
  const fail = () => {
    throw new Error('no')
  }
  await assert.rejects(changeProfile(profile, fail, { action: 'install' }), /no/)
  assert.equal((await install(profile, a1)).generation, 1)
})

test('profile: two packages of one name are refused', async () => {
  const edit = () => [a1, a2]
  await assert.rejects(changeProfile(newProfile(), edit, { action: 'install' }), {
    code: 'USAGE',
    message: /a is asked for twice/,
  })
})

test('profile: rollback goes to where one came from, and on from there', async () => {
  const profile = newProfile()
  await install(profile, a1)
  await install(profile, b1)
  await switchGeneration(profile, 1)
  await install(profile, c1)
  assert.deepEqual(names(profile), ['a@1.0.0', 'c@1.0.0'])
  const { changes, generation, previous } = await rollback(profile)
  assert.deepEqual(
    [generation, previous, changes.map(({ kind, name }) => `${kind} ${name}`)],
    [1, 3, ['removed c']],
  )
  assert.equal((await rollback(profile)).generation, 2)
  assert.equal((await rollback(profile)).generation, 1)
  await assert.rejects(
    rollback(profile),
    (error) => hasCode(error, 'NO_GENERATION') && /--to 3/.test(error.hint ?? ''),
  )
})

test('profile: rollback passes over generations that were deleted, and works without a journal', async () => {
  const profile = newProfile()
  for (const one of [a1, b1, c1]) await install(profile, one)
  unlinkSync(join(profile.generationsDir, '2'))
  assert.equal((await rollback(profile)).generation, 1)
  await switchGeneration(profile, 3)
  unlinkSync(profile.journal)
  assert.equal((await rollback(profile)).generation, 1)
})

test('profile: rollback --to and switch refuse a generation that there is not', async () => {
  const profile = newProfile()
  await assert.rejects(rollback(profile), { code: 'NO_GENERATION' })
  await install(profile, a1)
  await assert.rejects(rollback(profile, { to: 7 }), { code: 'NO_GENERATION', message: /no generation 7/ })
  await assert.rejects(switchGeneration(profile, 2), { code: 'NO_GENERATION' })
  assert.equal((await switchGeneration(profile, 1)).changed, false)
})

test('profile: doing again what was rolled back takes its generation again; a number is never used twice', async () => {
  const profile = newProfile()
  await install(profile, a1)
  await install(profile, b1)
  await rollback(profile)
  assert.equal((await install(profile, b1)).generation, 2)
  await rollback(profile)
  unlinkSync(join(profile.generationsDir, '2'))
  assert.equal((await install(profile, c1)).generation, 3)
})

test('profile: one can leave a generation whose environment is damaged, but not go to it', async (t) => {
  const other = await temporaryStore(t)
  const profile = openProfile(other.store, { user: 'someone' })
  for (const as of ['a@1.0.0', 'b@1.0.0']) await install(profile, await createPackage(other, as))
  const [, second] = generations(profile)
  unlinkSync(other.store.blocks.file(second!.cid))
  assert.equal((await rollback(profile)).generation, 1)
  await assert.rejects(switchGeneration(profile, 2), { code: 'MISSING_BLOCK' })
  assert.deepEqual(
    history(profile).generations.map(({ number, changes }) => [number, changes?.length]),
    [
      [1, 1],
      [2, undefined],
    ],
  )
})

test('profile: history tells what each generation changed and from where', async () => {
  const profile = newProfile()
  await install(profile, a1)
  await install(profile, a2)
  await rollback(profile)
  await install(profile, b1)
  const { generations: made, moves } = history(profile)
  assert.deepEqual(
    made.map(({ number, from, action, current, changes }) => ({
      number,
      from,
      action,
      current,
      changes: changes?.map(({ kind, name }) => `${kind} ${name}`),
    })),
    [
      { number: 1, from: undefined, action: 'install', current: false, changes: ['added a'] },
      { number: 2, from: 1, action: 'install', current: false, changes: ['upgraded a'] },
      { number: 3, from: 1, action: 'install', current: true, changes: ['added b'] },
    ],
  )
  assert.deepEqual(
    moves.map(({ action, to }) => `${action} ${to}`),
    ['install 1', 'install 2', 'rollback 1', 'install 3'],
  )
  assert.ok(made.every(({ created }) => Math.abs(created.getTime() - Date.now()) < 60_000))
})

test('profile: diff names what was added, removed, upgraded and downgraded, and the bytes', async () => {
  const profile = newProfile()
  const big = await createPackage(place, 'big@1.0.0', { files: { 'bin/big': 'x'.repeat(100_000) } })
  await install(profile, a1, b1)
  await changeProfile(profile, () => [a2, big], { action: 'install' })
  const diff = diffGenerations(profile, 1, 2)
  const named = (changes: { name: string }[]) => changes.map(({ name }) => name)
  assert.deepEqual(
    [named(diff.added), named(diff.removed), named(diff.upgraded), named(diff.downgraded)],
    [['big'], ['b'], ['a'], []],
  )
  assert.ok(diff.sizeChange > 99_000)
  const back = diffGenerations(profile, 2, 1)
  assert.deepEqual([named(back.downgraded), back.sizeChange], [['a'], -diff.sizeChange])
  assert.deepEqual(diffGenerations(profile, 1, 1).sizeChange, 0)
  assert.throws(() => diffGenerations(profile, 1, 9), { code: 'NO_GENERATION' })
})

test('profile: one of its own has absolute links and auto pins for its generations', async () => {
  const path = join(directory, 'project', 'profile')
  const profile = openProfile(store, { path })
  assert.throws(() => installedPackages(profile), { code: 'NO_PROFILE' })
  await assert.rejects(remove(profile, 'a'), { code: 'NO_PROFILE' })
  const { cid } = await install(profile, a1)
  await install(profile, b1)
  assert.equal(readlinkSync(join(path, 'generations', '1')), join(store.paths.store, `${cid}`))
  assert.equal(readlinkSync(join(path, 'current')), 'generations/2')
  const pins = readdirSync(join(store.paths.pinsPerUser, userName(), 'profile', 'auto'))
  for (const number of ['1', '2']) assert.ok(pins.includes(autoPinName(join(path, 'generations', number))))
  assert.equal((await rollback(profile)).generation, 1)
})

test('profile: a generation of its own that a crash left without an auto pin is never half there', async (t) => {
  const other = await temporaryStore(t)
  const files = { 'bin/late': 'late' }
  const profile = openProfile(other.store, { path: join(other.directory, 'profile') })
  await install(profile, await createPackage(other, 'early@1.0.0'))
  const edit = (added: InstalledPackage) => (installed: InstalledPackage[]) =>
    withPackages(installed, [added])
  const onStep = (step: string) => assert.notEqual(step, 'linked', 'crash')
  const late = await createPackage(other, 'late@1.0.0', { files })
  await assert.rejects(changeProfile(profile, edit(late), { action: 'install', onStep }), /crash/)
  assert.ok((await runCollection(other.store)).blocks > 0)
  assert.deepEqual(names(profile), ['early@1.0.0'])
  await assert.rejects(switchGeneration(profile, 2), { code: 'MISSING_BLOCK' })
  const { generation } = await install(profile, await createPackage(other, 'late@1.0.0', { files }))
  await runCollection(other.store)
  assert.deepEqual([generation, names(profile)], [2, ['early@1.0.0', 'late@1.0.0']])
  assert.deepEqual(
    missingBlocks(
      other.store,
      generations(profile).map(({ cid }) => cid),
    ),
    [],
  )
})

test('profile: a change whose lock was lost does not undo what another process did', async () => {
  const profile = newProfile()
  await install(profile, a1)
  await install(profile, b1)
  const onStep = (step: string) => {
    if (step === 'pinned') symlinkAtomic('generations/1', profile.currentLink)
  }
  const late = changeProfile(profile, (installed) => withPackages(installed, [c1]), {
    action: 'install',
    onStep,
  })
  await assert.rejects(late, { code: 'BUSY', message: /changed by another process/ })
  assert.deepEqual(names(profile), ['a@1.0.0'])
})

test('profile: a directory in which current is something else is left alone', async () => {
  for (const occupy of [
    (file: string) => writeFileSync(file, 'mine'),
    (file: string) => symlinkSync('/etc', file),
  ]) {
    const path = join(directory, `occupied-${users++}`)
    mkdirSync(path)
    occupy(join(path, 'current'))
    await assert.rejects(install(openProfile(store, { path }), a1), {
      code: 'EXISTS',
      message: /current is not a profile's link/,
    })
    assert.deepEqual(readdirSync(path), ['current'])
  }
})

test('profile: temp pins and locks are gone afterwards', () => {
  assert.deepEqual(readTempPins(store.paths), [])
  const profile = openProfile(store, { user: 'user-1' })
  assert.deepEqual(readdirSync(profile.dir).sort(), ['current', 'generations', 'journal.jsonl'])
})
