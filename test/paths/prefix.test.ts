// Which prefix is in force when nobody names one.

import assert from 'node:assert/strict'
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { resolvePrefix } from '../../src/paths.ts'
import { runPowerless } from '../helpers/powerless.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

const MODULE = join(import.meta.dirname, '..', '..', 'src', 'paths.ts')
const UID = 1000

async function machine(t: TestContext) {
  const directory = await temporaryDirectory(t)
  const shared = join(directory, 'ipfs')
  const env = { XDG_DATA_HOME: join(directory, 'data') }
  return { shared, env, own: join(directory, 'data', 'pkg') }
}

function make(prefix: string): void {
  for (const name of ['blocks', 'pins']) mkdirSync(join(prefix, name), { recursive: true })
}

test('PKG_PREFIX comes before everything', async (t) => {
  const { shared } = await machine(t)
  for (const uid of [0, UID]) assert.equal(resolvePrefix({ PKG_PREFIX: '/a/b/' }, { uid, shared }), '/a/b')
})

test('root has the shared one, whether or not it is there', async (t) => {
  const { shared, env } = await machine(t)
  assert.equal(resolvePrefix(env, { uid: 0, shared }), shared)
})

test('a user has one of their own where none is shared', async (t) => {
  const { shared, env, own } = await machine(t)
  assert.equal(resolvePrefix(env, { uid: UID, shared }), own)
})

test('a user who may write the shared one takes it', async (t) => {
  const { shared, env } = await machine(t)
  make(shared)
  assert.equal(resolvePrefix(env, { uid: UID, shared }), shared)
})

test('a user with a prefix keeps it when a shared one appears, also one that may be written', async (t) => {
  const { shared, env, own } = await machine(t)
  make(own)
  assert.equal(resolvePrefix(env, { uid: UID, shared }), own)
  make(shared)
  assert.equal(resolvePrefix(env, { uid: UID, shared }), own)
})

test('a shared one that a user may not write is not taken: nothing could be installed there', async (t) => {
  const { shared, env, own } = await machine(t)
  make(shared)
  for (const name of ['blocks', 'pins']) {
    chmodSync(join(shared, name), 0o555)
    const code = `import { resolvePrefix } from ${JSON.stringify(MODULE)}
      console.log(resolvePrefix(${JSON.stringify(env)}, ${JSON.stringify({ uid: UID, shared })}))`
    const { stdout } = runPowerless(['--input-type=module', '--eval', code])
    chmodSync(join(shared, name), 0o755)
    assert.equal(stdout.trim(), own, name)
  }
})
