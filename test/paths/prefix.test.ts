// Which prefix is in force when nobody names one.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { userInfo } from 'node:os'
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

const NOT_ROOT = process.getuid?.() === 0 ? false : 'only root can make a prefix of root’s'

/** A shared prefix that the user may not write, as seen by a process without capabilities. */
async function shut(t: TestContext) {
  const found = await machine(t)
  make(found.shared)
  for (const name of ['blocks', 'pins']) chmodSync(join(found.shared, name), 0o555)
  const choose = () => {
    const code = `import { resolvePrefix } from ${JSON.stringify(MODULE)}
      console.log(resolvePrefix(${JSON.stringify(found.env)}, ${JSON.stringify({ uid: UID, shared: found.shared })}))`
    return runPowerless(['--input-type=module', '--eval', code]).stdout.trim()
  }
  return { ...found, choose }
}

test('a user without a prefix takes the one that root’s daemon serves', { skip: NOT_ROOT }, async (t) => {
  const { shared, own, choose } = await shut(t)
  mkdirSync(join(shared, 'var'))
  assert.equal(choose(), own)
  const server = createServer().listen(join(shared, 'var', 'daemon.sock'))
  t.after(() => server.close())
  await once(server, 'listening')
  assert.equal(choose(), shared)
  make(own)
  assert.equal(choose(), own, 'the packages of a user stay where they are')
})

test('a user who has a profile in root’s prefix stays there when the daemon is stopped', {
  skip: NOT_ROOT,
}, async (t) => {
  const { shared, own, choose } = await shut(t)
  const profile = join(shared, 'profiles', 'per-user', userInfo().username)
  mkdirSync(profile, { recursive: true })
  assert.equal(choose(), own, 'it is somebody else’s')
  chownSync(profile, UID, UID)
  assert.equal(choose(), shared)
})

test('a shared one of somebody else than root is not trusted with one’s programs', {
  skip: NOT_ROOT,
}, async (t) => {
  const { shared, own, choose } = await shut(t)
  const profile = join(shared, 'profiles', 'per-user', userInfo().username)
  mkdirSync(profile, { recursive: true })
  chownSync(profile, UID, UID)
  chownSync(shared, UID + 1, UID + 1)
  assert.equal(choose(), own)
})
