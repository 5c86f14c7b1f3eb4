// A prefix whose programs were seen through a mount until now, and have trees from now on.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { lstatSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { prefixPaths } from '../../src/paths.ts'
import { Blocks } from '../../src/store/blocks/blocks.ts'
import { missingCheckouts } from '../../src/store/checkout/check-out.ts'
import { removeTree } from '../../src/store/checkout/remove-tree.ts'
import { parseCid } from '../../src/store/cid.ts'
import { makeProgram, sandbox } from './harness.ts'

test('trees that what is installed lacks: doctor says NO, `daemon start` makes them', async (t) => {
  const box = await sandbox(t)
  await box.brief('init', '--no-mount')
  const setting = join(box.prefix, 'config.json')
  writeFileSync(setting, '{"store.mode":"checkout"}')
  const source = makeProgram(join(box.directory, 'tool'), 'tool', 'here')
  await box.brief('install', source, '--as', 'tool@1.0.0')
  const program = join(box.home, '.pkg-profile', 'bin', 'tool')
  assert.equal(execFileSync(program, { encoding: 'utf8' }), 'here\n')
  const paths = prefixPaths(box.prefix)
  const { generations } = await box.json<{ generations: { cid: string }[] }>('history')
  const environment = parseCid(generations.at(-1)?.cid ?? '')
  const missing = () => missingCheckouts({ paths, blocks: new Blocks(paths) }, environment)
  type Checks = { checks: { name: string; ok: unknown; detail: string; hint?: string }[] }
  const profile = async () => {
    const { checks } = JSON.parse((await box.run(['doctor', '--json'])).stdout) as Checks
    return checks.find(({ name }) => name === 'profile')
  }
  assert.equal((await profile())?.ok, true)

  // As after a mount: none of the trees is there.
  await removeTree(paths.store)
  assert.equal(lstatSync(paths.store, { throwIfNoEntry: false }), undefined)
  assert.equal(missing().length, 2)
  const found = await profile()
  assert.equal(found?.ok, false)
  assert.match(`${found?.detail}`, /generation 1 cannot run: 2 of its trees/)
  assert.match(`${found?.hint}`, /`pkg daemon start`/)
  await box.brief('daemon', 'start')
  assert.equal(execFileSync(program, { encoding: 'utf8' }), 'here\n')
  assert.equal((await profile())?.ok, true)
})
