// What the owner of a prefix alone may do, asked for by somebody else; and what a collection made for them did.

import assert from 'node:assert/strict'
import { globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { blockFile } from '../../src/store/blocks/shards.ts'
import { parseCid } from '../../src/store/cid.ts'
import { makeProgram } from '../cli/harness.ts'
import { accounts } from './accounts.ts'
import { WITHOUT_USERS } from './machine.ts'

test('a user and what is the owner’s', { skip: WITHOUT_USERS }, async (t) => {
  let stop: () => unknown = () => {}
  t.after(() => stop())
  const { root, anna, prefix, directory } = await accounts(t)
  stop = () => root.pkg('daemon', 'stop', '--force')
  mkdirSync(prefix)
  writeFileSync(join(prefix, 'config.json'), '{"store.mode":"checkout"}')
  await root.brief('daemon', 'start')
  const source = join(directory, 'source')
  mkdirSync(source)
  writeFileSync(join(source, 'file'), 'content')

  await t.test('healing and indexing are refused, and it is said who may', async () => {
    for (const words of [
      ['reindex'],
      ['verify', '--from', source],
      ['verify', '--from', source, '--dry-run'],
      ['verify', '--repair', '--from', source],
    ]) {
      const { status, stderr } = await anna.pkg('store', ...words)
      assert.equal(status, 7, stderr)
      assert.match(stderr, /prefix can be (healed|indexed) by its owner \(root\) only/)
    }
    assert.equal((await anna.pkg('store', 'verify')).status, 0)
    assert.equal((await root.pkg('store', 'reindex')).status, 0)
  })

  await t.test(
    'what a collection may be asked for by its owner only is refused, in a dry run too',
    async () => {
      for (const option of ['--max-freed=1G', '--ensure-free=1G', '--grace=1h', '--despite-damage']) {
        for (const words of [[option], [option, '--dry-run']]) {
          const { status, stderr } = await anna.pkg('gc', ...words)
          assert.equal(status, 7, stderr)
        }
      }
    },
  )

  await t.test('a collection made for a user says which checkouts went', async () => {
    const cid = await root.brief('store', 'add', source, '--pin', 'tree')
    await root.brief('store', 'checkout', cid)
    await root.brief('pin', 'remove', 'tree')
    const { status, stdout } = await anna.pkg('gc', '--json')
    assert.equal(status, 0)
    const { checkouts, blocks } = JSON.parse(stdout)
    assert.deepEqual([checkouts, blocks > 0], [1, true])
  })

  await t.test('damage that only its owner may put away is damage all the same', async () => {
    await root.brief('store', 'add', source, '--pin', 'kept')
    const [file] = globSync(`${prefix}/blocks/*/baf*`)
    writeFileSync(file as string, 'broken')
    for (const words of [['verify'], ['verify', '--dry-run'], ['verify', '--json']]) {
      const { status, stdout } = await anna.pkg('store', ...words)
      assert.equal(status, 4, stdout)
      assert.ok(stdout.includes(basename(file as string)), stdout)
      assert.match(stdout, /needed/)
    }
    assert.match((await anna.pkg('store', 'verify')).stdout, /hint: .* healed by its owner \(root\) only/)
    assert.equal((await root.pkg('store', 'verify', '--from', source)).status, 0)
  })

  await t.test('a destination that may not be written is named as it was given', async () => {
    const cid = await root.brief('store', 'add', source, '--pin', 'kept')
    const { status, stderr } = await anna.pkg('store', 'get', cid, join(directory, 'out'))
    assert.equal(status, 7)
    assert.match(stderr, /^pkg: .*\/out cannot be made: this user may not write .*\nhint: Name another/)
  })

  await t.test('what a user installed comes back by the same install', async () => {
    const own = makeProgram(join(directory, 'own'), 'tool', 'x')
    await anna.brief('install', own, '--as', 'tool@1.0.0')
    const { packages } = JSON.parse((await anna.pkg('list', '--json')).stdout)
    rmSync(blockFile(join(prefix, 'blocks'), parseCid(packages[0].cid)))
    const { status, stdout } = await anna.pkg('list')
    assert.equal(status, 4, stdout)
    assert.equal((await anna.pkg('install', own, '--as', 'tool@1.0.0')).status, 0)
    assert.equal((await anna.pkg('list')).status, 0)
    assert.equal((await root.pkg('store', 'verify')).status, 0)
  })
})
