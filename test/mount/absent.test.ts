// Names that are not there: below a CID that is asked once, for ever; at the top of the mount each time anew.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Dag } from '../fixtures/dag.ts'
import { again } from '../helpers/again.ts'
import { errnoName, type MountedStore, mountedStore, NO_MOUNT } from './mounted.ts'

const skip = NO_MOUNT

const looks = async (mounted: MountedStore) => (await mounted.status()).requests.getattr ?? 0

test('a name that a directory lacks reaches the server once', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const dag = new Dag()
  const entries = Array.from({ length: 3000 }, (_, n) => ({ name: `f${n}`, cid: dag.raw(`${n}`) }))
  const root = dag.directory({
    lib: dag.directory({ file: dag.raw('file') }),
    many: dag.hamt(entries, 256),
    link: dag.symlink('lib'),
  })
  await mounted.put(dag)
  const names = ['none', 'lib/none', 'lib/none/below', 'many/none', 'link/none2', 'lib/file/none']
  const look = () => names.map((name) => errnoName(() => statSync(mounted.path(root, name))))
  const first = look()
  assert.deepEqual(first, ['ENOENT', 'ENOENT', 'ENOENT', 'ENOENT', 'ENOENT', 'ENOTDIR'])
  const before = await looks(mounted)
  for (let times = 0; times < 100; times++) assert.deepEqual(look(), first)
  assert.equal(await looks(mounted), before)
})

/** The look-up before may be answered, and not forgotten yet, for a moment. */
async function appears(path: string): Promise<boolean> {
  for (const end = Date.now() + 5000; !existsSync(path) && Date.now() < end; ) await delay(1)
  return existsSync(path)
}

test('a root that was looked for is there when it arrives', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  for (let n = 0; n < 100; n++) {
    const dag = new Dag()
    const root = dag.directory({ file: dag.raw(`late ${n}`) })
    for (let times = 0; times < 3; times++) assert.equal(existsSync(mounted.path(root)), false)
    await mounted.put(dag)
    assert.ok(await appears(mounted.path(root)), `${n}`)
    assert.equal(readFileSync(mounted.path(root, 'file'), 'utf8'), `late ${n}`)
  }
})

test('and beside others who look for it all the time', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const dags = Array.from({ length: 50 }, (_, n) => {
    const dag = new Dag()
    return { dag, path: mounted.path(dag.raw(`late ${n}`)) }
  })
  const paths = JSON.stringify(dags.map(({ path }) => path))
  for (let times = 0; times < 2; times++) await again(t, `for (const path of ${paths}) fs.existsSync(path)`)
  for (const { dag, path } of dags) {
    await mounted.put(dag)
    assert.ok(await appears(path))
  }
})

test('who stands in a root when the look-up before it came is forgotten goes on standing there', {
  skip,
}, async (t) => {
  const mounted = await mountedStore(t)
  const dag = new Dag()
  const root = dag.directory({ file: dag.raw('late') })
  const path = mounted.path(root)
  for (let times = 0; times < 50; times++) assert.equal(existsSync(path), false)
  await mounted.put(dag)
  assert.ok(await appears(path))
  const script = 'setTimeout(() => process.stdout.write(process.cwd()), 500)'
  const { stdout } = spawnSync(process.execPath, ['-e', script], { cwd: path, encoding: 'utf8' })
  assert.equal(stdout, path)
})
