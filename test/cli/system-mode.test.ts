// A prefix of root's, two users who may not write it, and root: the whole product works for each of them.

import assert from 'node:assert/strict'
import { chownSync, existsSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { WITHOUT_FUSE } from '../daemon/prefix.ts'
import { type Accounts, accounts, type Person } from '../users/accounts.ts'
import { WITHOUT_USERS } from '../users/machine.ts'
import { makeProgram } from './harness.ts'

const skip = WITHOUT_USERS || WITHOUT_FUSE

/** Root has made the prefix, and its daemon runs. */
async function system(t: TestContext): Promise<Accounts> {
  // Hooks run in the order of their registration: the daemon ends before its namespace goes.
  let stop: () => unknown = () => {}
  t.after(() => stop())
  const all = await accounts(t)
  stop = () => all.root.pkg('daemon', 'stop', '--force')
  assert.equal((await all.root.pkg('init')).status, 0)
  return all
}

/** A registry of root's with a program that says its version. */
async function publish({ directory, root }: Accounts, version: string): Promise<string> {
  const registry = join(directory, 'registry')
  const cid = await root.brief(
    'pack',
    makeProgram(join(directory, version), 'tool', version),
    '--as',
    `tool@${version}`,
  )
  if (!existsSync(registry)) await root.brief('registry', 'create', registry)
  await root.brief('publish', cid, '--registry', registry)
  return registry
}

const says = async (person: Person) =>
  (await person.run([join(person.home, '.pkg-profile/bin/tool')])).stdout.trim()

test('two users and root install, run, upgrade and roll back, each for themselves', { skip }, async (t) => {
  const all = await system(t)
  const { root, anna, bert, prefix } = all
  const everybody = [root, anna, bert]
  const registry = await publish(all, '1.0.0')
  await Promise.all(
    everybody.map(async (person) => {
      await person.brief('init')
      await person.brief('registry', 'add', 'main', registry)
      await person.brief('install', 'tool')
      assert.equal(await says(person), '1.0.0')
    }),
  )
  await publish(all, '2.0.0')
  await Promise.all(
    everybody.map(async (person) => {
      await person.brief('upgrade')
      assert.equal(await says(person), '2.0.0')
    }),
  )
  await anna.brief('rollback')
  assert.deepEqual(await Promise.all(everybody.map(says)), ['2.0.0', '1.0.0', '2.0.0'])
  await bert.brief('remove', 'tool')
  await bert.brief('rollback')
  await root.brief('rollback')
  // Whatever anybody let go of, what anybody has stays.
  await Promise.all([bert.brief('gc'), root.brief('gc', '--keep', '1')])
  assert.deepEqual(await Promise.all(everybody.map(says)), ['1.0.0', '1.0.0', '2.0.0'])
  assert.equal((await bert.pkg('run', 'tool@1.0.0', '--', 'x')).stdout, '1.0.0 x\n')
  assert.equal(
    readlinkSync(join(anna.home, '.pkg-profile')),
    join(prefix, 'profiles/per-user/pkg-anna/current'),
  )
  for (const { home } of [anna, bert]) assert.deepEqual(readdirSync(join(home, 'tmp')), [])
})

test('what a user packs, imports, pins and publishes is in root’s prefix, and the user’s own to let go of', {
  skip,
}, async (t) => {
  const { anna, bert, root } = await system(t)
  const own = async (person: Person, name: string) => {
    const cid = await person.brief('pack', makeOwn(person, name), '--as', `${name}@1.0.0`)
    await person.brief('registry', 'create', 'reg')
    await person.brief('publish', cid, '--registry', 'reg')
    await person.brief('registry', 'add', 'own', 'reg')
    await person.brief('install', name)
    await person.brief('install', `./${name}-src`, '--profile', 'project', '--as', `${name}@2.0.0`)
    for (const link of ['.pkg-profile', 'project/current']) {
      const { stdout } = await person.run([join(person.home, link, 'bin', name)])
      assert.equal(stdout, `${name}\n`)
    }
    await person.brief('store', 'export', cid, 'x.car')
    await person.brief('store', 'import', 'x.car', '--pin', 'imported')
    return { cid, added: await person.brief('store', 'add', `${name}-src`, '--pin', 'added') }
  }
  const [hers, his] = await Promise.all([own(anna, 'hers'), own(bert, 'his')])
  // What nothing keeps lies there until a collection, as everywhere.
  const loose = await anna.brief('store', 'add', join(anna.home, 'x.car'))
  assert.equal((await bert.pkg('store', 'stat', loose)).status, 0)
  await anna.brief('pin', 'add', 'his', his.cid)
  await bert.brief('gc', '--keep', '1')

  // Each pin that goes takes with it what only that one kept.
  for (const name of ['added', 'imported', 'his']) await anna.brief('pin', 'remove', name)
  const kept = await bert.pkg('gc', '--json')
  assert.equal(kept.status, 0, kept.stderr)
  assert.ok(JSON.parse(kept.stdout).blocks > 0)
  assert.equal((await anna.pkg('store', 'stat', hers.added)).status, 3)
  for (const cid of [hers.cid, his.cid, his.added])
    assert.equal((await anna.pkg('store', 'stat', cid)).status, 0)
  const pins = JSON.parse((await bert.pkg('pin', 'list', '--json')).stdout).pins as { name: string }[]
  assert.deepEqual([...new Set(pins.map(({ name }) => name))].sort(), [
    'added',
    'his',
    'imported',
    'profile',
    'registry',
    'registry-own',
  ])
  assert.match((await anna.pkg('doctor')).stdout, /root's; this user adds to it through its daemon/)

  // Without the daemon there is nothing to add through; what is there goes on working.
  assert.equal((await root.pkg('daemon', 'stop', '--force')).status, 0)
  const refused = await anna.pkg('install', './hers-src', '--as', 'hers@3.0.0')
  assert.equal(refused.status, 8)
  assert.match(refused.stderr, /pkg daemon start/)
  for (const words of [['list'], ['remove', 'none'], ['pin', 'remove', 'hers'], ['history']]) {
    const { status, stderr } = await anna.pkg(...words)
    assert.equal(status, words[1] === 'none' ? 8 : 0, `${words}: ${stderr}`)
  }
})

function makeOwn({ home, uid }: Person, name: string): string {
  const source = makeProgram(join(home, `${name}-src`), name, name)
  chownSync(source, uid, uid)
  return source
}
