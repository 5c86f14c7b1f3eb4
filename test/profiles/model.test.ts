// Random sequences of install, remove, upgrade, rollback, switch and collection against a model of a profile:
// what is current, what each generation holds, where a rollback goes; and every generation stays complete.

import assert from 'node:assert/strict'
import { readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { runCollection } from '../../src/collector/collect.ts'
import { hasCode } from '../../src/errors.ts'
import { packDirectory } from '../../src/packages/pack.ts'
import { changeProfile } from '../../src/profiles/change.ts'
import { readEnvironment } from '../../src/profiles/environment.ts'
import { type InstalledPackage, installedPackage } from '../../src/profiles/installed.ts'
import { withoutPackages, withPackages, withUpgrades } from '../../src/profiles/operations.ts'
import { generations, openProfile, type Profile } from '../../src/profiles/profile.ts'
import { rollback, switchGeneration } from '../../src/profiles/switch.ts'
import { missingBlocks } from '../../src/store/links/closure.ts'
import { environmentShape, temporaryStore, writeFiles } from './fixture.ts'

const { store, directory } = await temporaryStore({ after })
const names = ['a', 'b', 'c']

for (const name of names) {
  for (const version of [1, 2, 3]) {
    const files = {
      [`bin/${name}`]: `${name} ${version}`,
      'share/common/text': 'common',
      [`share/${name}/v`]: `${version}`,
    }
    writeFiles(join(directory, `${name}-${version}`), files)
  }
}

/** Packed anew each time: a collection may have taken it. */
async function pack(name: string, version: number, priority: number): Promise<InstalledPackage> {
  const { manifest, cid } = await packDirectory(store, join(directory, `${name}-${version}`), {
    as: `${name}@${version}.0.0`,
  })
  return installedPackage(manifest, cid, { requested: name, priority })
}

type Packages = Record<string, { version: number; priority: number }>

type Model = {
  generations: Map<number, Packages>
  current: number
  /** where rollbacks go, the nearest last */
  back: number[]
  highest: number
}

const sorted = (packages: Packages) => JSON.stringify(Object.entries(packages).sort())

const inForce = (model: Model): Packages => model.generations.get(model.current) ?? {}

/** What a change to `next` does to the model. */
function advance(model: Model, next: Packages): void {
  if (sorted(next) === sorted(inForce(model))) return
  const highest = Math.max(0, ...model.generations.keys())
  const again = highest > 0 && sorted(model.generations.get(highest)!) === sorted(next)
  if (!again) {
    model.highest += 1
    model.generations.set(model.highest, next)
  }
  if (model.current !== 0) model.back.push(model.current)
  model.current = again ? highest : model.highest
}

/** The generation a rollback goes to; undefined when there is none. */
const target = (model: Model) => model.back.findLast((n) => n !== model.current && model.generations.has(n))

interface Step {
  readonly text: string
  run(model: Model, profile: Profile): Promise<void>
}

const version = fc.integer({ min: 1, max: 3 })
const priority = fc.integer({ min: 0, max: 1 })
const name = fc.constantFrom(...names)

const install = fc.tuple(name, version, priority).map(
  ([name, version, priority]): Step => ({
    text: `install ${name}@${version} priority ${priority}`,
    async run(model, profile) {
      const added = await pack(name, version, priority)
      await changeProfile(profile, (installed) => withPackages(installed, [added]), { action: 'install' })
      advance(model, { ...inForce(model), [name]: { version, priority } })
    },
  }),
)

const upgrade = fc.tuple(name, version).map(
  ([name, version]): Step => ({
    text: `upgrade ${name} to ${version}`,
    async run(model, profile) {
      const added = await pack(name, version, 0)
      await changeProfile(profile, (installed) => withUpgrades(installed, [added]), { action: 'upgrade' })
      const before = inForce(model)[name]
      if (before) advance(model, { ...inForce(model), [name]: { ...before, version } })
    },
  }),
)

const remove = name.map(
  (name): Step => ({
    text: `remove ${name}`,
    async run(model, profile) {
      const edit = (installed: InstalledPackage[]) => withoutPackages(installed, [name])
      const change = changeProfile(profile, edit, { action: 'remove' })
      const { [name]: there, ...rest } = inForce(model)
      if (there === undefined) return assert.rejects(change, { code: 'NO_PACKAGE' })
      await change
      advance(model, rest)
    },
  }),
)

const back: Step = {
  text: 'rollback',
  async run(model, profile) {
    const to = target(model)
    if (to === undefined) return assert.rejects(rollback(profile), { code: 'NO_GENERATION' })
    assert.equal((await rollback(profile)).generation, to)
    model.back.length = model.back.lastIndexOf(to)
    model.current = to
  },
}

const switchTo = fc.integer({ min: 1, max: 6 }).map(
  (to): Step => ({
    text: `switch ${to}`,
    async run(model, profile) {
      if (!model.generations.has(to))
        return assert.rejects(switchGeneration(profile, to), { code: 'NO_GENERATION' })
      await switchGeneration(profile, to)
      if (to === model.current) return
      model.back.push(model.current)
      model.current = to
    },
  }),
)

const collect = fc.constantFrom(undefined, 1, 2).map(
  (keep): Step => ({
    text: `gc, keep ${keep ?? 'all'}`,
    async run(model, profile) {
      const { generations: gone } = await runCollection(store, { keep })
      for (const { profile: dir, number } of gone) if (dir === profile.dir) model.generations.delete(number)
      assert.ok(model.current === 0 || model.generations.has(model.current))
    },
  }),
)

function check(model: Model, profile: Profile): void {
  const found = generations(profile)
  assert.deepEqual(
    found.map(({ number }) => number),
    [...model.generations.keys()].sort((a, b) => a - b),
  )
  for (const { number, cid, current } of found) {
    assert.equal(current, number === model.current)
    const packages = model.generations.get(number)!
    const read = readEnvironment(store.blocks, cid)
    assert.equal(sorted(Object.fromEntries(read.map(toModel))), sorted(packages))
    assert.deepEqual(missingBlocks(store, cid, 1), [])
    const shape = environmentShape(store.blocks, cid)
    for (const { name, cid } of read) assert.equal(shape[`bin/${name}`], `../../${cid}/bin/${name}`)
    assert.equal(Object.keys(shape).filter((path) => path.startsWith('bin/')).length, read.length)
  }
  if (model.current !== 0) assert.equal(readlinkSync(profile.currentLink), `generations/${model.current}`)
}

const toModel = ({ name, version, priority }: InstalledPackage) =>
  [name, { version: Number(version.split('.')[0]), priority }] as const

test('profile: random sequences do what the model does, and keep every generation complete', async () => {
  const step = fc.oneof(
    { arbitrary: install, weight: 5 },
    { arbitrary: upgrade, weight: 2 },
    { arbitrary: remove, weight: 2 },
    { arbitrary: fc.constant(back), weight: 3 },
    { arbitrary: switchTo, weight: 2 },
    { arbitrary: collect, weight: 1 },
  )
  let users = 0
  const property = fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async (steps) => {
    const profile = openProfile(store, { user: `model-${users++}` })
    const model: Model = { generations: new Map(), current: 0, back: [], highest: 0 }
    const told: string[] = []
    for (const one of steps) {
      told.push(one.text)
      try {
        await one.run(model, profile)
        check(model, profile)
      } catch (error) {
        const code = hasCode(error, 'INCOMPLETE', 'COLLISION') ? ` (${error.code})` : ''
        throw new Error(`after ${told.join('; ')}${code}`, { cause: error })
      }
    }
  })
  await fc.assert(property, { seed: 3, numRuns: 25 })
})
