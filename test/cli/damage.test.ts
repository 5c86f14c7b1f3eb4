// What commands say of an installed package, or an environment, that has lost a block; and that what they advise heals it.

import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { blockFile } from '../../src/store/blocks/shards.ts'
import { parseCid } from '../../src/store/cid.ts'
import { makeProgram, type Sandbox, sandbox } from './harness.ts'

function lose({ prefix }: Sandbox, cid: string): void {
  rmSync(blockFile(join(prefix, 'blocks'), parseCid(cid)))
}

/** Without a mount, which nothing here is about. */
async function checkouts(t: Parameters<typeof sandbox>[0]): Promise<Sandbox> {
  const box = await sandbox(t)
  mkdirSync(box.prefix)
  writeFileSync(join(box.prefix, 'config.json'), '{"store.mode":"checkout"}')
  return box
}

type Packages = { packages: { name: string; cid: string; size?: number; damaged?: true }[]; cid: string }

test('one lost block of an installed package', async (t) => {
  const box = await checkouts(t)
  const [good, bad] = ['good', 'bad'].map((name) => makeProgram(join(box.directory, name), name, name))
  await box.brief('install', good!, '--as', 'good@1.0.0')
  await box.brief('install', bad!, '--as', 'bad@2.0.0')
  const { packages } = await box.json<Packages>('list')
  const cid = packages.find(({ name }) => name === 'bad')!.cid
  lose(box, cid)

  await t.test('ends no listing', async () => {
    const { status, stdout, stderr } = await box.run(['list'])
    assert.equal(status, 4)
    assert.match(stdout, /^bad +2\.0\.0 +damaged/m)
    assert.match(stdout, /^good +1\.0\.0 +\d/m)
    assert.match(stderr, /bad 2\.0\.0 is damaged.*\n.*hint: .*pkg install .*bad.*pkg remove bad/)
  })

  await t.test('is told with the name of the package', async () => {
    const third = makeProgram(join(box.directory, 'third'), 'third', 'third')
    for (const words of [
      ['remove', 'good'],
      ['install', third, '--as', 'third@1.0.0'],
      ['install', third, '--as', 'third@1.0.0', '--dry-run'],
      ['switch', '2'],
    ]) {
      const { status, stderr } = await box.run(words)
      assert.equal(status, 4, words.join(' '))
      assert.match(stderr, /bad 2\.0\.0 is not whole here: .*\nhint: Heal it: /, words.join(' '))
    }
    const { status, stderr } = await box.run(['install', cid])
    assert.equal(status, 4)
    assert.match(stderr, new RegExp(`block ${cid} is not in the store`))
  })

  await t.test('is seen by doctor', async () => {
    const { status, stdout } = await box.run(['doctor'])
    assert.equal(status, 4)
    assert.match(stdout, /^NO +profile +bad 2\.0\.0 is not whole here.*\n +Heal it:/m)
  })

  await t.test('keeps nobody from going back, nor from going on without it', async () => {
    assert.equal(await box.brief('remove', 'bad'), '3')
    assert.equal(await box.brief('rollback', '--to', '1'), '1')
    assert.equal(await box.brief('list'), 'good')
  })

  await t.test('comes back by the same install', async () => {
    await box.brief('install', bad!, '--as', 'bad@2.0.0')
    assert.equal((await box.run(['list'])).status, 0)
    assert.equal((await box.run(['store', 'verify'])).status, 0)
    assert.equal(await box.brief('list'), 'bad\ngood')
  })
})

test('one lost block of an environment', async (t) => {
  const box = await checkouts(t)
  const [one, two] = ['one', 'two'].map((name) => makeProgram(join(box.directory, name), name, name))
  await box.brief('install', one!, '--as', 'one@1.0.0')
  await box.brief('install', two!, '--as', 'two@1.0.0')
  const { cid } = await box.json<Packages>('list')
  lose(box, cid)
  for (const words of [
    ['list'],
    ['which', 'two'],
    ['install', one!, '--as', 'one@2.0.0'],
    ['remove', 'one'],
  ]) {
    const { status, stderr } = await box.run(words)
    assert.equal(status, 4, words.join(' '))
    assert.match(stderr, /generation 2 of .* is damaged: .*\nhint: Go to another generation \(`pkg rollback`/)
  }
  assert.equal(await box.brief('rollback'), '1')
  await box.brief('install', two!, '--as', 'two@1.0.0')
  assert.equal(await box.brief('list'), 'one\ntwo')
  assert.equal((await box.run(['store', 'verify'])).status, 0)
})

test('a pinned package that is in no registry is named by its CID, and runs', async (t) => {
  const box = await checkouts(t)
  const cid = await box.brief(
    'pack',
    makeProgram(join(box.directory, 'src'), 'tool', 'x'),
    '--as',
    'tool@1.0.0',
  )
  const { status, stderr } = await box.run(['install', 'tool'])
  assert.equal(status, 3)
  assert.match(stderr, new RegExp(`hint: tool is pinned here: pkg install ${cid}`))
  assert.equal((await box.run(['run', 'tool'])).stdout, 'x\n')
})

test('of several pinned versions the hint names the one that was asked for, else the newest, and how to look anew', async (t) => {
  const box = await checkouts(t)
  const source = makeProgram(join(box.directory, 'src'), 'tool', 'x')
  const versions = ['1.0.0', '2.0.0', '3.0.0', '10.0.0']
  const cids: string[] = []
  for (const version of versions) cids.push(await box.brief('pack', source, '--as', `tool@${version}`))
  await box.brief('registry', 'create', 'reg')
  await box.brief('registry', 'add', 'main', 'reg')
  for (const [asked, cid] of [
    ...versions.map((version, at) => [`tool@${version}`, cids[at]]),
    ['tool', cids[3]],
  ]) {
    const { status, stderr } = await box.run(['install', asked!])
    assert.equal(status, 3)
    assert.match(stderr, new RegExp(`pkg install ${cid}; \`pkg registry update\` takes`), asked)
  }
  assert.match((await box.run(['install', 'tool@4'])).stderr, /hint: `pkg registry update` takes/)
})

test('a profile of another prefix is not called damaged', async (t) => {
  const [box, other] = [await checkouts(t), await checkouts(t)]
  const profile = join(other.directory, 'profile')
  const source = makeProgram(join(other.directory, 'src'), 'tool', 'x')
  await other.brief('install', source, '--as', 'tool@1.0.0', '--profile', profile)
  await box.brief('pin', 'add', 'any', await box.brief('store', 'add', join(source, 'bin')))
  const { status, stderr } = await box.run(['list', '--profile', profile])
  assert.equal(status, 4)
  assert.match(stderr, /generations\/1 does not lead into .*\nhint: The profile was made for another prefix/)
})

test('a package that did not come whole is not called lost, and the hint has the rest brought', async (t) => {
  const box = await checkouts(t)
  const cid = await box.brief(
    'pack',
    makeProgram(join(box.directory, 'part'), 'part', 'hi'),
    '--as',
    'part@1.0.0',
  )
  const { entries } = await box.json<{ entries: { cid: string }[] }>('store', 'ls', `${cid}/bin`)
  lose(box, entries[0]!.cid)
  const { status, stderr } = await box.run(['install', cid])
  assert.equal(status, 4)
  assert.match(
    stderr,
    /part 1\.0\.0 is not whole here: block \S+ is not in the store\nhint: Bring the rest: /,
  )
})
