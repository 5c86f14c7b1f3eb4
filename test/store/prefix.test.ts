// Opening a prefix: what is made, what is refused, and what is left alone.

import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { prefixPaths } from '../../src/paths.ts'
import { ensurePrefix, makePrefix, requirePrefix } from '../../src/store/prefix.ts'
import { Store } from '../../src/store/store.ts'
import { runPowerless } from '../helpers/powerless.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

const MODULE = join(import.meta.dirname, '..', '..', 'src', 'store', 'prefix.ts')
const PATHS = join(import.meta.dirname, '..', '..', 'src', 'paths.ts')

async function prefix(t: TestContext) {
  return prefixPaths(join(await temporaryDirectory(t), 'prefix'))
}

/** Calls one of prefix.ts's functions as a user to whom permissions apply; gives the error's code. */
function powerless(call: 'makePrefix' | 'ensurePrefix' | 'requirePrefix', root: string): string {
  const code = `
    import * as prefix from ${JSON.stringify(MODULE)}
    import { prefixPaths } from ${JSON.stringify(PATHS)}
    try { prefix.${call}(prefixPaths(${JSON.stringify(root)})); console.log('fine') }
    catch ({ code, message, hint }) { console.log(code, hint ? 'with a hint' : message) }`
  return runPowerless(['--input-type=module', '--eval', code]).stdout.trim()
}

test('opening to add makes a prefix; opening to read does not', async (t) => {
  const paths = await prefix(t)
  assert.throws(() => Store.openExisting(paths.root), { code: 'NOT_FOUND', hint: /pkg init/ })
  assert.equal(existsSync(paths.root), false)
  Store.open(paths.root).close()
  Store.openExisting(paths.root).close()
})

test('a prefix whose making was cut short is completed by the next one who adds', async (t) => {
  const paths = await prefix(t)
  mkdirSync(paths.tempPins, { recursive: true })
  assert.throws(() => requirePrefix(paths), { code: 'NOT_FOUND', hint: /pkg init/ })
  ensurePrefix(paths)
  requirePrefix(paths)
})

test('a prefix that lost its pins is refused to all, and nothing is made in their place', async (t) => {
  const paths = await prefix(t)
  makePrefix(paths)
  rmSync(paths.pinsPerUser, { recursive: true })
  for (const open of [requirePrefix, ensurePrefix]) {
    assert.throws(() => open(paths), { code: 'NOT_FOUND', message: /per-user is missing/, hint: /pkg init/ })
  }
  assert.deepEqual(readdirSync(paths.pins), ['temp'])
  makePrefix(paths)
  requirePrefix(paths)
})

test('a user who may not write a prefix can open it to read, and is told so before adding', async (t) => {
  const paths = await prefix(t)
  makePrefix(paths)
  for (const place of [paths.blocks, paths.tempPins]) {
    chmodSync(place, 0o555)
    const calls = ['requirePrefix', 'ensurePrefix', 'makePrefix'] as const
    const said = calls.map((call) => powerless(call, paths.root))
    chmodSync(place, 0o755)
    assert.deepEqual(said, ['fine', 'PERMISSION with a hint', 'PERMISSION with a hint'], place)
  }
})

test('a prefix that cannot be made, or not be entered, says so with a hint', async (t) => {
  const directory = await temporaryDirectory(t)
  chmodSync(directory, 0o555)
  const said = powerless('makePrefix', join(directory, 'prefix'))
  chmodSync(directory, 0o755)
  assert.equal(said, 'PERMISSION with a hint')
  const paths = prefixPaths(join(directory, 'prefix'))
  makePrefix(paths)
  chmodSync(paths.pins, 0)
  const closed = powerless('requirePrefix', paths.root)
  chmodSync(paths.pins, 0o755)
  assert.equal(closed, 'PERMISSION with a hint')
})

test('a file where the prefix or one above it should be is named', async (t) => {
  const file = join(await temporaryDirectory(t), 'file')
  writeFileSync(file, '')
  for (const root of [file, join(file, 'prefix')]) {
    assert.throws(() => ensurePrefix(prefixPaths(root)), { code: 'NOT_DIRECTORY', message: new RegExp(file) })
  }
})

test('a place whose file system takes no directories is refused', () => {
  assert.throws(() => makePrefix(prefixPaths('/proc/x')), { code: 'PERMISSION', hint: /./ })
})
