// What lies in a profile and is not ours, and a `current` that leads nowhere: no obstacle to any change.

import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { profileCheck } from '../../src/daemon/doctor/profile.ts'
import { changeProfile } from '../../src/profiles/change.ts'
import { history } from '../../src/profiles/history.ts'
import type { InstalledPackage } from '../../src/profiles/installed.ts'
import { withPackages } from '../../src/profiles/operations.ts'
import {
  currentGeneration,
  generationNumbers,
  openProfile,
  type Profile,
} from '../../src/profiles/profile.ts'
import { installedPackages } from '../../src/profiles/read-installed.ts'
import { rollback, switchGeneration } from '../../src/profiles/switch.ts'
import { createPackage, temporaryStore } from './fixture.ts'

const place = await temporaryStore({ after })
const { store } = place
const packages = [await createPackage(place, 'a@1.0.0'), await createPackage(place, 'b@1.0.0')]
const [a, b] = packages as [InstalledPackage, InstalledPackage]
const c = await createPackage(place, 'c@1.0.0')

const install = (profile: Profile, ...some: InstalledPackage[]) =>
  changeProfile(profile, (installed) => withPackages(installed, some), { action: 'install' })
const names = (profile: Profile) => installedPackages(profile).map(({ name }) => name)

let users = 0
/** Generation 1 has a, generation 2 has a and b. */
async function twoGenerations() {
  const user = `stray-${users++}`
  const profile = openProfile(store, { user })
  await install(profile, a)
  await install(profile, b)
  const check = () => profileCheck(store.paths, { user })
  assert.equal(check().ok, true)
  return { profile, check, in: (name: string) => join(profile.generationsDir, name) }
}

const strays: [string, (path: string, profile: Profile) => void, string][] = [
  ['a file', (path) => writeFileSync(path, 'precious'), '3'],
  ['a directory', (path) => mkdirSync(path), '3'],
  ['a directory of a number far above', (path) => mkdirSync(path), '11'],
  ['a link that leads to no CID', (path) => symlinkSync('/etc', path), '3'],
  [
    'a link to an environment of a number beyond all',
    (path, { generationsDir }) => symlinkSync(readlinkSync(join(generationsDir, '1')), path),
    '999999999999999',
  ],
]

for (const [what, plant, name] of strays) {
  test(`${what} among the generations is none, and stops no install`, async () => {
    const { profile, check, in: path } = await twoGenerations()
    plant(path(name), profile)
    assert.deepEqual(generationNumbers(profile), [1, 2])
    assert.deepEqual(history(profile).strays, [name])
    assert.equal(check().ok, 'note')
    assert.match(check().detail, new RegExp(name))
    const { generation } = await install(profile, c)
    assert.equal(generation, name === '3' ? 4 : 3)
    assert.deepEqual(names(profile), ['a', 'b', 'c'])
    assert.ok(existsSync(path(name)) || readlinkSync(path(name)))
    if (what === 'a file') assert.equal(readFileSync(path(name), 'utf8'), 'precious')
    await assert.rejects(switchGeneration(profile, Number(name)), { code: 'NO_GENERATION' })
  })
}

test('a journal that tells of a number beyond all does not decide the next one', async () => {
  const { profile } = await twoGenerations()
  const line = { time: new Date(0).toISOString(), from: 2, to: 999_999_999_999_999, action: 'switch' }
  writeFileSync(profile.journal, `${JSON.stringify(line)}\n`)
  assert.equal((await install(profile, c)).generation, 3)
})

const mends: [string, (profile: Profile) => Promise<unknown>, string[]][] = [
  ['switch', (profile) => switchGeneration(profile, 1), ['a']],
  ['rollback --to', (profile) => rollback(profile, { to: 1 }), ['a']],
  ['rollback', (profile) => rollback(profile), ['a']],
  ['an install', (profile) => install(profile, c), ['a', 'c']],
  ['an install of what is in the generation before', (profile) => install(profile, a), ['a']],
]

for (const [what, mend, expected] of mends) {
  test(`${what} mends a current that leads to a generation which is not there`, async () => {
    const { profile, check, in: path } = await twoGenerations()
    unlinkSync(path('2'))
    assert.throws(() => currentGeneration(profile), {
      code: 'NO_GENERATION',
      message: /current leads to generation 2, which is not there/,
      hint: /pkg switch.*There are: 1$/,
    })
    assert.equal(check().ok, false)
    await mend(profile)
    assert.deepEqual(names(profile), expected)
    assert.equal(check().ok, true)
  })
}

test('an install mends it also when there is no generation left', async () => {
  const { profile, in: path } = await twoGenerations()
  for (const name of ['1', '2']) unlinkSync(path(name))
  await install(profile, c)
  assert.deepEqual(names(profile), ['c'])
})
