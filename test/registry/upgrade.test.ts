// What an upgrade makes of each way to ask for a package: a name, an exact version,
// a range, a directory, a CID.

import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { installPackages } from '../../src/install/install.ts'
import { upgradePackages } from '../../src/install/upgrade.ts'
import { encodeManifest } from '../../src/packages/manifest.ts'
import { openProfile, type Profile } from '../../src/profiles/profile.ts'
import { installedPackages } from '../../src/profiles/read-installed.ts'
import { createRegistry } from '../../src/registry/directory.ts'
import { addRegistry, removeRegistry } from '../../src/registry/subscribe.ts'
import { updateRegistry } from '../../src/registry/update.ts'
import { createPackage, type Home, openHome, publishNew } from './home.ts'

type Machine = Home & { profile: Profile }

/** hello 1.1.0 in a registry that is subscribed to; 1.0.0 too. */
async function openMachine(t: TestContext): Promise<Machine> {
  const home = await openHome(t)
  await createRegistry(home.store, home.registry)
  for (const version of ['1.0.0', '1.1.0']) await publishNew(home, 'hello', version)
  await addRegistry(home.store, { name: 'main', source: home.registry })
  return { ...home, profile: openProfile(home.store, { path: join(home.directory, 'profile') }) }
}

async function publishNewer(machine: Machine): Promise<void> {
  await publishNew(machine, 'hello', '1.2.0')
  await updateRegistry(machine.store)
}

/** `version requested` of all that is installed. */
const installed = ({ profile }: Machine) =>
  installedPackages(profile).map(({ version, requested }) => `${version} ${requested}`)

/** Upgrades, and gives what was told of packages that stay. */
async function upgrade({ profile }: Machine, names: string[] = []) {
  const kept: string[] = []
  const onKept = ({ name }: { name: string }, why: string) => void kept.push(`${name}: ${why}`)
  const { changed, changes } = await upgradePackages(profile, names, { onKept })
  return { changed, kinds: changes.map(({ kind }) => kind), kept }
}

/** A directory with a package; without a manifest of its own when no version is given. */
function writePackage(directory: string, text: string, version?: string, name = 'hello'): string {
  mkdirSync(join(directory, 'bin'), { recursive: true })
  writeFileSync(join(directory, 'bin', name), `#!/bin/sh\necho ${text}\n`, { mode: 0o755 })
  mkdirSync(join(directory, '.pkg'), { recursive: true })
  const manifest = join(directory, '.pkg/manifest.json')
  if (version !== undefined)
    writeFileSync(manifest, encodeManifest({ format: 1, name, version, programs: [name] }))
  return directory
}

const REQUESTS: [asked: string, first: string, afterwards: string][] = [
  ['hello', '1.1.0 hello', '1.2.0 hello'],
  ['hello@1.0.0', '1.0.0 hello@1.0.0', '1.2.0 hello'],
  ['hello@1.1.0', '1.1.0 hello@1.1.0', '1.2.0 hello'],
  ['hello@v1.0.0', '1.0.0 hello@v1.0.0', '1.2.0 hello'],
  ['hello@=1.0.0', '1.0.0 hello@=1.0.0', '1.0.0 hello@=1.0.0'],
  ['hello@1.0', '1.0.0 hello@1.0', '1.0.0 hello@1.0'],
  ['hello@^1', '1.1.0 hello@^1', '1.2.0 hello@^1'],
]
for (const [asked, first, afterwards] of REQUESTS) {
  test(`${asked}: ${first}, then ${afterwards}`, async (t) => {
    const machine = await openMachine(t)
    await installPackages(machine.profile, [asked])
    assert.deepEqual(installed(machine), [first])
    await publishNewer(machine)
    await upgrade(machine)
    assert.deepEqual(installed(machine), [afterwards])
  })
}

test('a newer build of a version is an upgrade, by its number', async (t) => {
  const machine = await openMachine(t)
  await installPackages(machine.profile, ['hello'])
  for (const version of ['1.1.0+2', '1.1.0+10', '1.1.0+9', '1.2.0-1']) {
    await publishNew(machine, 'hello', version)
    await updateRegistry(machine.store)
    const { kinds } = await upgrade(machine)
    const newer = version === '1.1.0+2' || version === '1.1.0+10'
    assert.deepEqual(kinds, newer ? ['upgraded'] : [], version)
  }
  assert.deepEqual(installed(machine), ['1.1.0+10 hello'])
})

test('an exact version that is the newest stays as it was asked for: no new generation', async (t) => {
  const machine = await openMachine(t)
  await installPackages(machine.profile, ['hello@1.1.0'])
  assert.equal((await upgrade(machine)).changed, false)
  assert.deepEqual(installed(machine), ['1.1.0 hello@1.1.0'])
})

test('a directory is packed anew; one that did not change is nothing to do', async (t) => {
  const machine = await openMachine(t)
  const directory = writePackage(join(machine.directory, 'mine'), 'one', '3.0.0')
  await installPackages(machine.profile, [directory])
  assert.deepEqual(await upgrade(machine), { changed: false, kinds: [], kept: [] })
  writePackage(directory, 'two', '3.0.0')
  assert.deepEqual((await upgrade(machine)).kinds, ['changed'])
  writePackage(directory, 'three', '3.1.0')
  assert.deepEqual((await upgrade(machine, ['hello'])).kinds, ['upgraded'])
  assert.deepEqual(installed(machine), [`3.1.0 ${directory}`])
})

test('a directory that is gone, or holds another package, is told of, and the rest is upgraded', async (t) => {
  const machine = await openMachine(t)
  const other = await createPackage(machine.store, 'other', '1.0.0')
  const directory = join(machine.directory, 'mine')
  writePackage(directory, 'one', '3.0.0', 'mine')
  await installPackages(machine.profile, ['hello@1.0.0', String(other), directory])
  renameSync(directory, `${directory}-away`)
  assert.deepEqual(await upgrade(machine), {
    changed: true,
    kinds: ['upgraded'],
    kept: [`mine: ${directory} is gone`],
  })
  assert.deepEqual((await upgrade(machine, ['mine'])).kept, [`mine: ${directory} is gone`])
  writePackage(directory, 'one', '4.0.0', 'yours')
  assert.deepEqual((await upgrade(machine)).kept, [`mine: ${directory} holds yours now`])
})

test('a directory that is damaged keeps none of the others from being upgraded', async (t) => {
  const machine = await openMachine(t)
  const directory = writePackage(join(machine.directory, 'mine'), 'one', '3.0.0', 'mine')
  await installPackages(machine.profile, ['hello@1.0.0', directory])
  writeFileSync(join(directory, '.pkg/manifest.json'), '{')
  const { kinds, kept } = await upgrade(machine)
  assert.deepEqual(kinds, ['upgraded'])
  assert.match(kept.join(), /^mine: .*manifest\.json is not JSON/)
  await assert.rejects(upgrade(machine, ['mine']), { code: 'BAD_MANIFEST' })
})

test('a CID stays, and who asks for its upgrade by name learns why', async (t) => {
  const machine = await openMachine(t)
  const cid = await createPackage(machine.store, 'hello', '0.9.0')
  const place = join(machine.store.paths.store, String(cid))
  for (const asked of [String(cid), `/ipfs/${cid}`, place]) {
    await installPackages(machine.profile, [asked])
    assert.deepEqual(await upgrade(machine), { changed: false, kinds: [], kept: [] })
    const why = 'it is held by its CID; `pkg install hello` takes it from a registry'
    assert.deepEqual((await upgrade(machine, ['hello'])).kept, [`hello: ${why}`], asked)
  }
})

test('a link into the store is followed again', async (t) => {
  const machine = await openMachine(t)
  const link = join(machine.directory, 'result')
  for (const version of ['1.0.0', '2.0.0']) {
    const cid = await createPackage(machine.store, 'hello', version)
    rmSync(link, { force: true })
    symlinkSync(join(machine.store.paths.store, String(cid)), link)
    if (version === '1.0.0') await installPackages(machine.profile, [link])
  }
  await upgrade(machine)
  assert.deepEqual(installed(machine), [`2.0.0 ${link}`])
})

test('a request that changed while the upgrade looked is not overwritten', async (t) => {
  const machine = await openMachine(t)
  await installPackages(machine.profile, ['hello@1.0.0'])
  await publishNewer(machine)
  const { profile } = machine
  // Both look at the profile as it is now; whichever comes second finds it changed, or is the last word.
  await Promise.all([upgradePackages(profile), installPackages(profile, ['hello@=1.0.0'])])
  assert.deepEqual(installed(machine), ['1.0.0 hello@=1.0.0'])
})

test('the one registry that was asked for is the one that an upgrade asks, also while another is first', async (t) => {
  const machine = await openMachine(t)
  const { store, profile, directory } = machine
  const other = { ...machine, registry: join(directory, 'other') }
  await createRegistry(store, other.registry)
  for (const version of ['1.0.0', '1.0.1'])
    await publishNew(other, 'hello', version, { description: 'other' })
  await addRegistry(store, { name: 'other', source: other.registry })
  const from = () => installedPackages(profile).map(({ version, registry }) => `${version} ${registry}`)

  await installPackages(profile, ['hello@1.0.0'], { registry: 'other' })
  assert.deepEqual(from(), ['1.0.0 other'])
  await upgrade(machine)
  assert.deepEqual(from(), ['1.0.1 other'])
  // Asked for by its name alone it comes from the first again.
  await installPackages(profile, ['hello'])
  assert.deepEqual(from(), ['1.1.0 main'])

  await installPackages(profile, ['hello'], { registry: 'other' })
  await removeRegistry(store, 'other')
  const { changed, kept } = await upgrade(machine)
  assert.equal(changed, false)
  assert.match(kept.join(), /^hello: .*not subscribed to the registry other/)
})

test('an environment says of a registry only what was asked for: others keep their CID', async (t) => {
  const { profile } = await openMachine(t)
  const bare = await installPackages(profile, ['hello'])
  const { registry, onlyFrom } = installedPackages(profile)[0]!
  assert.deepEqual([registry, onlyFrom], ['main', undefined])
  const asked = await installPackages(profile, ['hello'], { registry: 'main' })
  assert.equal(installedPackages(profile)[0]?.onlyFrom, 'main')
  assert.notDeepEqual(asked.cid, bare.cid)
  assert.deepEqual((await installPackages(profile, ['hello'])).cid, bare.cid)
})
