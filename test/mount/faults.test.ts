// A disk that fails, and damage that is healed: an error is an error for now. What
// could not be read is right as soon as it can be, for programs that were at it too.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { mountServerCommand } from '../../src/mount/launch.ts'
import { unmount } from '../../src/mount/mountpoint.ts'
import { withAdd } from '../../src/store/add/add.ts'
import type { CID } from '../../src/store/cid.ts'
import { verifyStore } from '../../src/store/verify/verify.ts'
import { Dag } from '../fixtures/dag.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { errnoName, type MountedStore, mountedStore, NO_MOUNT } from './mounted.ts'

const skip = NO_MOUNT
const PYTHON = ['/usr/bin/python3', '/usr/local/bin/python3'].find(existsSync)

/** Makes the file system below one block's directory fail whenever `fault` exists. */
async function failingDisk(
  t: TestContext,
  { store }: MountedStore,
  block: CID,
): Promise<{ fault: string; mend: () => Promise<void> }> {
  const directory = await temporaryDirectory(t)
  const shard = dirname(store.blocks.file(block))
  const copy = join(directory, 'copy')
  cpSync(shard, copy, { recursive: true })
  const fault = join(directory, 'fault')
  const { command, env } = mountServerCommand(store.paths)
  const script = join(import.meta.dirname, 'faulty-shard.ts')
  const child = spawn(command, ['--disable-warning=ExperimentalWarning', script, shard, copy, fault], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const mend = async () => {
    await unmount(shard)
    child.kill('SIGKILL')
  }
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('the failing disk did not start')))
  await Promise.race([once(child.stdout, 'data'), ended])
  ended.catch(() => {})
  return { fault, mend }
}

test('a disk that fails is EIO, is asked again, and takes no good block away', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const { store } = mounted
  const dag = new Dag()
  const leaf = dag.raw('on a failing disk')
  const root = dag.directory([
    { name: 'file', cid: leaf, tsize: 17 },
    { name: 'other', cid: dag.raw('elsewhere'), tsize: 9 },
  ])
  await mounted.put(dag)
  const path = mounted.path(root, 'file')
  const { fault, mend } = await failingDisk(t, mounted, leaf)
  try {
    writeFileSync(fault, '')
    assert.equal(
      errnoName(() => readFileSync(path)),
      'EIO',
    )
    assert.equal(readFileSync(mounted.path(root, 'other'), 'utf8'), 'elsewhere')
    assert.throws(() => store.blocks.get(leaf), { code: 'IO' })
    const { corrupt, quarantined } = await verifyStore(store, { roots: [root] })
    assert.deepEqual([corrupt.map((bad) => bad.quarantined), quarantined], [[false], []])
    rmSync(fault)
    assert.equal(readFileSync(path, 'utf8'), 'on a failing disk')
  } finally {
    // Before the store's own directory is removed.
    await mend()
  }
  assert.ok(!existsSync(store.paths.quarantine) || readdirSync(store.paths.quarantine).length === 0)
})

test('what was damaged or missing is right on the same path once it is healed', { skip }, async (t) => {
  const mounted = await mountedStore(t)
  const { store } = mounted
  const dag = new Dag()
  const parts = ['one', 'two', 'three'].map((text) => ({
    cid: dag.raw(text.repeat(20_000)),
    size: 20_000 * text.length,
  }))
  const small = dag.raw('small')
  const below = dag.directory({ large: dag.file(parts) })
  const root = dag.directory([
    { name: 'below', cid: below, tsize: 1 },
    { name: 'small', cid: small, tsize: 5 },
  ])
  await mounted.put(dag)
  const damage: [CID, () => unknown][] = [
    [small, () => readFileSync(mounted.path(root, 'small'), 'utf8')],
    [below, () => readdirSync(mounted.path(root, 'below'))],
    [parts[1]!.cid, () => readFileSync(mounted.path(root, 'below', 'large')).length],
  ]
  for (const [n, [cid, read]] of damage.entries()) {
    const file = store.blocks.file(cid)
    const bytes = readFileSync(file)
    rmSync(file)
    // Of the same length, of another length, and none at all.
    if (n < 2) writeFileSync(file, Buffer.alloc(bytes.length + n, 'x'))
    for (let tries = 0; tries < 2; tries++) assert.equal(errnoName(read), 'EIO', `${n}`)
    await withAdd(store, (add) => add.put([{ cid, bytes }]))
    assert.ok(read())
  }
  assert.equal(statSync(mounted.path(root, 'small')).size, 5)
})

/** Maps the file; a child of it dies of the page that is damaged; told that it is healed, it looks at the page itself. */
const MAPPED = `
import mmap, os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
view = mmap.mmap(fd, 0, mmap.MAP_PRIVATE, mmap.PROT_READ)
at = int(sys.argv[2])
child = os.fork()
if child == 0:
    os._exit(view[at] and 0)
_, status = os.waitpid(child, 0)
print(os.WTERMSIG(status), flush=True)
sys.stdin.readline()
print(chr(view[at]), flush=True)
`
const skipMapped = NO_MOUNT || (PYTHON ? false : 'there is no python3 to map a file with')

test('a program that has a damaged page mapped gets it when it is healed', {
  skip: skipMapped,
}, async (t) => {
  const mounted = await mountedStore(t)
  const { store } = mounted
  const dag = new Dag()
  const parts = ['a', 'b'].map((text) => ({ cid: dag.raw(text.repeat(1024 * 1024)), size: 1024 * 1024 }))
  const root = dag.file(parts)
  await mounted.put(dag)
  const [, second] = parts
  const file = store.blocks.file(second!.cid)
  const bytes = readFileSync(file)
  rmSync(file)
  writeFileSync(file, Buffer.alloc(bytes.length, 'c'))
  const at = 1024 * 1024 + 700_000
  const program = spawn(PYTHON!, ['-c', MAPPED, mounted.path(root), `${at}`], { stdio: 'pipe' })
  t.after(() => program.kill('SIGKILL'))
  const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]()
  const SIGBUS = 7
  assert.equal((await lines.next()).value, String(SIGBUS))
  await withAdd(store, (add) => add.put([{ cid: second!.cid, bytes }]))
  program.stdin.write('\n')
  assert.equal((await lines.next()).value, 'b')
})
