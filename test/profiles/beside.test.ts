// Readers of a profile beside another process that switches, and deletes what it left, in a tight loop: each of them
// gets the profile as it was at some moment, and never an error.

import assert from 'node:assert/strict'
import { mkdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { profileCheck } from '../../src/daemon/doctor/profile.ts'
import { changeProfile } from '../../src/profiles/change.ts'
import { history } from '../../src/profiles/history.ts'
import { withPackages } from '../../src/profiles/operations.ts'
import {
  currentGeneration,
  currentNumber,
  findCurrentGeneration,
  generations,
  openProfile,
  type Profile,
} from '../../src/profiles/profile.ts'
import { installedPackages } from '../../src/profiles/read-installed.ts'
import { again } from '../helpers/again.ts'
import { createPackage, temporaryStore } from './fixture.ts'

/** Enough for every window between two system calls to be met many times on two cores. */
const READS = 30_000

const place = await temporaryStore({ after })
const { store } = place
const a1 = await createPackage(place, 'a@1.0.0')

/** What moves between generations, for `again`. */
const placing = (profile: Profile) => `const dir = ${JSON.stringify(profile.dir)}
  const temp = dir + '/generations/.tmp-'
  const place = (target, path) => { fs.symlinkSync(target, temp); fs.renameSync(temp, path) }`

test('a reader beside the first change of a profile finds `current`, or none', async (t) => {
  const profile = openProfile(store, { user: 'first' })
  mkdirSync(profile.generationsDir, { recursive: true })
  await again(
    t,
    "place('generations/1', dir + '/current'); fs.unlinkSync(dir + '/current')",
    placing(profile),
  )
  const seen = new Set<number | undefined>()
  for (let reads = 0; reads < READS; reads++) seen.add(currentNumber(profile))
  assert.deepEqual([...seen].sort(), [1, undefined])
})

test('a reader beside switches, and beside a collector that deletes what they left, finds one generation or the other', async (t) => {
  const profile = openProfile(store, { user: 'moves' })
  await changeProfile(profile, (installed) => withPackages(installed, [a1]), { action: 'install' })
  const target = readlinkSync(join(profile.generationsDir, '1'))
  await again(
    t,
    `place(${JSON.stringify(target)}, dir + '/generations/' + (n + 1))
     place('generations/' + (n + 1), dir + '/current')
     fs.unlinkSync(dir + '/generations/' + n)`,
    placing(profile),
  )
  for (let reads = 0; reads < READS / 5; reads++) {
    assert.equal(currentGeneration(profile)?.current, true)
    assert.notEqual(findCurrentGeneration(profile), undefined)
    assert.deepEqual(
      installedPackages(profile).map(({ name }) => name),
      ['a'],
    )
    assert.equal(generations(profile).filter(({ current }) => current).length, 1)
    if (reads % 100 > 0) continue
    assert.equal(history(profile).generations.filter(({ current }) => current).length, 1)
    assert.equal(profileCheck(store.paths, { user: 'moves' }).ok, true)
    const plan = changeProfile(profile, (all) => [...all], { action: 'upgrade', dryRun: true })
    assert.equal((await plan).changed, false)
  }
})
