// The mount is not taken from programs that run, unless that is what is asked for.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, copyFileSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { daemonState, ensureDaemon, stopDaemon } from '../../src/daemon/client/client.ts'
import { mountUsers } from '../../src/daemon/mount/mount-users.ts'
import { isRunning } from '../../src/files/pid-file.ts'
import { mountState } from '../../src/mount/mountpoint.ts'
import { type PrefixPaths, storePath } from '../../src/paths.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { importTree } from '../../src/store/import/import-tree.ts'
import { Store } from '../../src/store/store.ts'
import { sandbox } from '../cli/harness.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { daemonPrefix, kill9, running, until, WITHOUT_FUSE } from './prefix.ts'

const options = { skip: WITHOUT_FUSE }

/** A mounted store that holds a program and a file; `root` is its path in the mount. */
async function mounted(t: TestContext): Promise<{ paths: PrefixPaths; root: string }> {
  const paths = await daemonPrefix(t)
  const root = await addProgram(paths, await temporaryDirectory(t))
  await ensureDaemon(paths)
  return { paths, root }
}

async function addProgram(paths: PrefixPaths, tree: string): Promise<string> {
  copyFileSync('/bin/sleep', join(tree, 'rest'))
  writeFileSync(join(tree, 'file'), 'text')
  const store = Store.open(paths.root)
  const { cid } = await withAdd(store, async (add) => {
    const imported = await importTree(add, tree)
    await add.commit()
    return imported
  })
  store.close()
  return storePath(paths, cid)
}

async function start(t: TestContext, command: string, args: string[], cwd = '/'): Promise<ChildProcess> {
  const child = spawn(command, args, { stdio: 'ignore', cwd })
  t.after(() => child.kill('SIGKILL'))
  await once(child, 'spawn')
  return child
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

test('stop refuses while a program runs from the store, and names it', options, async (t) => {
  const { paths, root } = await mounted(t)
  const child = await start(t, join(root, 'rest'), ['600'])
  await until('it is seen', async () => (await mountUsers(paths)).length > 0)
  assert.deepEqual(await mountUsers(paths), [{ pid: child.pid, program: 'rest' }])
  await assert.rejects(stopDaemon(paths), {
    code: 'BUSY',
    message: new RegExp(`in use by rest \\(${child.pid}\\)$`),
    hint: /--force/,
  })
  assert.equal(mountState(paths), 'mounted')
  assert.equal((await daemonState(paths)).running, true)
  await end(child)
  assert.deepEqual(await stopDaemon(paths), { daemon: true, mount: true })
})

test('a working directory and an open file in the store are use', options, async (t) => {
  const { paths, root } = await mounted(t)
  const child = await start(t, '/bin/sleep', ['600'], root)
  assert.deepEqual(await mountUsers(paths), [{ pid: child.pid, program: 'sleep' }])
  await end(child)
  const fd = openSync(join(root, 'file'), 'r')
  t.after(() => closeSync(fd))
  const reader = spawn('/bin/sleep', ['600'], { stdio: ['ignore', 'ignore', 'ignore', fd] })
  t.after(() => reader.kill('SIGKILL'))
  await once(reader, 'spawn')
  assert.deepEqual(
    (await mountUsers(paths)).map(({ pid }) => pid),
    [reader.pid],
  )
})

test('a program of another prefix, and a variable that names the store, are no use', options, async (t) => {
  const { paths } = await mounted(t)
  const other = await mounted(t)
  await start(t, join(other.root, 'rest'), ['600'])
  const child = spawn('/bin/sleep', ['600'], { stdio: 'ignore', env: { PATH: `${paths.store}/x/bin` } })
  t.after(() => child.kill('SIGKILL'))
  await once(child, 'spawn')
  assert.deepEqual(await mountUsers(paths), [])
  await stopDaemon(other.paths, { force: true })
})

test('what an earlier mount left behind is no use of the next one', options, async (t) => {
  const { paths, root } = await mounted(t)
  const child = await start(t, join(root, 'rest'), ['600'])
  await until('it is seen', async () => (await mountUsers(paths)).length > 0)
  await stopDaemon(paths, { force: true })
  assert.equal(mountState(paths), 'none')
  await ensureDaemon(paths)
  assert.equal(child.exitCode, null)
  assert.deepEqual(await stopDaemon(paths), { daemon: true, mount: true })
})

test('SIGTERM to the daemon unmounts whoever uses it', options, async (t) => {
  const { paths, root } = await mounted(t)
  await start(t, join(root, 'rest'), ['600'])
  const daemon = running(paths.daemonPid)
  process.kill(daemon.pid, 'SIGTERM')
  await until('the daemon has ended', () => !isRunning(daemon))
  assert.equal(mountState(paths), 'none')
})

test('a stale mount serves nobody, so stop takes it away', options, async (t) => {
  const { paths, root } = await mounted(t)
  await start(t, '/bin/sleep', ['600'], root)
  await kill9(paths.daemonPid)
  await kill9(paths.mountPid)
  await stopDaemon(paths)
  assert.equal(mountState(paths), 'none')
})

test('`pkg daemon stop` ends with status 6, and with --force does it', options, async (t) => {
  const box = await sandbox(t)
  const { paths, root } = await mounted(t)
  await start(t, join(root, 'rest'), ['600'])
  await until('it is seen', async () => (await mountUsers(paths)).length > 0)
  const { status, stderr } = await box.run(['daemon', 'stop', '--prefix', paths.root])
  assert.equal(status, 6)
  assert.match(stderr, /in use by rest/)
  assert.equal((await box.run(['daemon', 'stop', '--force', '--prefix', paths.root])).status, 0)
  assert.equal(mountState(paths), 'none')
})
