// Killed at every named step, a change leaves the old profile or the new one; changes at once all take effect.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { utimesSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { changeProfile } from '../../src/profiles/change.ts'
import type { InstalledPackage } from '../../src/profiles/installed.ts'
import { withPackages } from '../../src/profiles/operations.ts'
import { currentGeneration, generations, openProfile, type Profile } from '../../src/profiles/profile.ts'
import { installedPackages } from '../../src/profiles/read-installed.ts'
import { cameFrom, rollback } from '../../src/profiles/switch.ts'
import { CHANGE_STEPS, type ChangeStep } from '../../src/profiles/write.ts'
import { missingBlocks } from '../../src/store/links/closure.ts'
import { createPackage, temporaryStore } from './fixture.ts'

const place = await temporaryStore({ after })
const { store } = place
const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l']
const packages: InstalledPackage[] = []
for (const name of names) packages.push(await createPackage(place, `${name}@1.0.0`))
const [a, b] = packages as [InstalledPackage, InstalledPackage]

const install = (profile: Profile, one: InstalledPackage) =>
  changeProfile(profile, (installed) => withPackages(installed, [one]), { action: 'install' })
const installed = (profile: Profile) => installedPackages(profile).map(({ name }) => name)

async function child(user: string, args: string[], killAt?: string): Promise<string | number | null> {
  const command = [join(import.meta.dirname, 'child.ts'), store.paths.root, user, ...args]
  const env = { ...process.env, PKG_TEST_KILL_AT: killAt }
  const [code, signal] = await once(
    spawn(process.execPath, command, { env, stdio: ['ignore', 'ignore', 'inherit'] }),
    'exit',
  )
  return signal ?? code
}

/** The lock of a killed process counts as stale after ten seconds: here they have passed. */
function passTime(profile: Profile): void {
  utimesSync(`${profile.lock}.lock`, new Date(0), new Date(0))
}

const complete = (profile: Profile) =>
  generations(profile).every(({ cid }) => missingBlocks(store, cid, 1).length === 0)

for (const step of CHANGE_STEPS) {
  test(`crash: an install that is killed at "${step}" leaves the old profile or the new one`, async () => {
    const profile = openProfile(store, { user: `install-${step}` })
    await install(profile, a)
    assert.equal(await child(`install-${step}`, ['install', `${b.cid}`], `profile:${step}`), 'SIGKILL')
    assert.deepEqual(installed(profile), step === 'switched' ? ['a', 'b'] : ['a'])
    assert.ok(complete(profile))
    passTime(profile)
    const { generation, cid } = await install(profile, b)
    assert.deepEqual([installed(profile), generation], [['a', 'b'], 2])
    assert.equal(`${currentGeneration(profile)?.cid}`, `${cid}`)
    assert.equal(cameFrom(profile), 1)
    await rollback(profile)
    assert.deepEqual(installed(profile), ['a'])
  })
}

for (const step of ['journaled', 'switched'] satisfies ChangeStep[]) {
  test(`crash: a rollback that is killed at "${step}" leaves the old profile or the new one`, async () => {
    const profile = openProfile(store, { user: `rollback-${step}` })
    for (const one of packages.slice(0, 3)) await install(profile, one)
    assert.equal(await child(`rollback-${step}`, ['rollback'], `profile:${step}`), 'SIGKILL')
    const at = currentGeneration(profile)?.number
    assert.equal(at, step === 'switched' ? 2 : 3)
    passTime(profile)
    assert.equal((await rollback(profile)).generation, at! - 1)
  })
}

test('crash: changes at once, in several processes, all take effect one after the other', async () => {
  const profile = openProfile(store, { user: 'busy' })
  const parts = [0, 1, 2].map((part) => packages.slice(part * 4, part * 4 + 4).map(({ cid }) => `${cid}`))
  assert.deepEqual(await Promise.all(parts.map((cids) => child('busy', ['install', ...cids]))), [0, 0, 0])
  assert.deepEqual(installed(profile), names)
  const made = generations(profile)
  assert.deepEqual(
    made.map(({ number }) => number),
    names.map((_, index) => index + 1),
  )
  assert.ok(complete(profile))
})
