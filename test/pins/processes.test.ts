import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, closeSync, copyFileSync, mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import { readProcesses } from '../../src/pins/processes.ts'
import { roots } from '../../src/pins/roots.ts'
import { addTree, missing, present, tree } from '../collector/scenario.ts'
import { runPowerless } from '../helpers/powerless.ts'
import { temporaryStore } from '../helpers/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

const STORE = '/ipfs/store'
const { root: CID } = tree('running')

type Files = Record<string, string | { link: string }>

/** A /proc with one process of these entries. */
async function proc(t: TestContext, files: Files): Promise<string> {
  const directory = await temporaryDirectory(t)
  for (const name of ['fd', 'ns']) mkdirSync(join(directory, '42', name), { recursive: true })
  for (const [name, content] of Object.entries<Files[string]>({ comm: 'program\n', ...files })) {
    const path = join(directory, '42', name)
    if (typeof content === 'string') writeFileSync(path, content)
    else symlinkSync(content.link, path)
  }
  return directory
}

const MAPS = `7f00-7f01 r-xp 00000000 00:2b 12  `
const ROOTS: [string, Files][] = [
  ['its program', { exe: { link: `${STORE}/${CID}/bin/x` } }],
  ['its program by another spelling', { exe: { link: `${STORE}/${CID.toString()}` } }],
  ['its directory', { cwd: { link: `${STORE}/${CID}` } }],
  ['its root', { root: { link: `${STORE}/${CID}/rootfs` } }],
  ['an open file', { 'fd/7': { link: `${STORE}/${CID}/share/data` } }],
  ['a library', { maps: `${MAPS}${STORE}/${CID}/lib/libx.so.1\n` }],
  ['its environment', { environ: `A=b\0LD_LIBRARY_PATH=/x:${STORE}/${CID}/lib\0` }],
  ['a program on a mount that was detached', { exe: { link: `/${CID}/bin/x` } }],
  ['a deleted directory', { cwd: { link: `/${CID} (deleted)` } }],
  ['a library on a mount that was detached', { maps: `${MAPS}/${CID}/lib/libx.so\n` }],
  [
    'a package mounted into a container',
    {
      'ns/mnt': { link: 'mnt:[1]' },
      mountinfo: `36 35 0:2b /${CID}/sub /app ro,nosuid - fuse.pkg pkg ro\n`,
    },
  ],
]
for (const [title, files] of ROOTS) {
  test(`a process is a root by ${title}`, async (t) => {
    const { roots } = await readProcesses([STORE], { proc: await proc(t, files) })
    assert.deepEqual(
      roots.map(({ kind, cid, name }) => [kind, String(cid), name]),
      [['process', String(CID), 'program']],
    )
  })
}

const NONE: [string, Files][] = [
  ['a block file', { 'fd/3': { link: `/ipfs/blocks/ab/${CID}` } }],
  ['a store of another prefix', { exe: { link: `/other/store/${CID}/bin/x` } }],
  ['a name in the store that is no CID', { cwd: { link: `${STORE}/hello` } }],
  [
    'an ordinary process',
    { exe: { link: '/usr/bin/node' }, maps: `${MAPS}/usr/bin/node\n`, environ: 'HOME=/root\0' },
  ],
]
for (const [title, files] of NONE) {
  test(`a process is no root by ${title}`, async (t) => {
    assert.deepEqual((await readProcesses([STORE], { proc: await proc(t, files) })).roots, [])
  })
}

test('a program that runs from the store keeps its package, and what is below it', async (t) => {
  const store = await temporaryStore(t)
  const running = await addTree(store, 'running')
  const dead = await addTree(store, 'dead')
  // The mount's place, as an ordinary directory: what the kernel says of a process is the same.
  const bin = join(store.paths.store, String(running.root), 'bin')
  mkdirSync(bin, { recursive: true })
  copyFileSync('/bin/sleep', join(bin, 'program'))
  const child = spawn(join(bin, 'program'), ['600'], { stdio: 'ignore' })
  t.after(() => child.kill('SIGKILL'))
  await once(child, 'spawn')
  assert.ok(
    (await roots(store)).some(({ kind, path }) => kind === 'process' && path === `/proc/${child.pid}/exe`),
  )
  await runCollection(store)
  assert.deepEqual(missing(store, running.root), [])
  assert.equal(present(store, dead), 0)
  child.kill('SIGKILL')
  await once(child, 'exit')
  await runCollection(store)
  assert.equal(present(store, running), 0)
})

test('a file that is open in the store keeps its package', async (t) => {
  const store = await temporaryStore(t)
  const open = await addTree(store, 'open')
  const place = join(store.paths.store, String(open.root))
  mkdirSync(place)
  writeFileSync(join(place, 'readme'), '')
  const fd = openSync(join(place, 'readme'), 'r')
  t.after(() => closeSync(fd))
  await runCollection(store)
  assert.deepEqual(missing(store, open.root), [])
})

test('processes at which one may not look are counted and named', async (t) => {
  const directory = await proc(t, {})
  chmodSync(join(directory, '42', 'fd'), 0)
  const module = JSON.stringify(new URL('../../src/pins/processes.ts', import.meta.url).href)
  const script = `import { readProcesses } from ${module}
    console.log(JSON.stringify(await readProcesses(['/ipfs/store'], { proc: process.argv[1] })))`
  const { stdout } = runPowerless(['--input-type=module', '-e', script, directory])
  assert.deepEqual(JSON.parse(stdout), {
    roots: [],
    denied: 1,
    deniedFirst: [{ pid: 42, name: 'program' }],
    stuck: [],
  })
})

test('kernel threads run nothing, and are not named among those', async (t) => {
  const directory = await proc(t, {})
  chmodSync(join(directory, '42', 'fd'), 0)
  // Its flags are the ninth field (proc_pid_stat(5)); a name may hold anything.
  writeFileSync(join(directory, '42', 'stat'), '42 (kworker/0:0H-x) y) I 2 0 0 0 -1 69238880 0 0')
  const module = JSON.stringify(new URL('../../src/pins/processes.ts', import.meta.url).href)
  const script = `import { readProcesses } from ${module}
    console.log(JSON.stringify(await readProcesses(['/ipfs/store'], { proc: process.argv[1] })))`
  const { stdout } = runPowerless(['--input-type=module', '-e', script, directory])
  assert.deepEqual(JSON.parse(stdout), { roots: [], denied: 0, deniedFirst: [], stuck: [] })
})
