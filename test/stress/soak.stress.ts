// Hours' worth of reads in minutes: many processes read, list and look at once, on
// paths that are new to the kernel, so that every request reaches the mount server.
// Its memory, threads, descriptors and latency have to stay what they were. What
// libfuse 2 leaves behind for each thread that ends is measured along. SECONDS says
// how long.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { writeFileAtomic } from '../../src/files/atomic.ts'
import { withAdd } from '../../src/store/add/add.ts'
import type { CID } from '../../src/store/cid.ts'
import { importTree } from '../../src/store/import/import-tree.ts'
import { buildTree } from '../../src/store/import/tree.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { type Counts, type MountedStore, mountedStore, NO_MOUNT } from '../mount/mounted.ts'
import { bytesOf, treeFiles, writeTree } from './content.ts'
import { SEED } from './random.ts'

const SECONDS = Number(process.env.SECONDS ?? 180)
const READERS = 3
const TREES = 12
/** New paths so often, in ms: nothing is answered from what the kernel knows. */
const RENEW_MS = 250
const CACHE_BYTES = 16 * 1024 * 1024
const MIB = 1024 * 1024
/** What grows by design: the names that the server keeps, up to 200,000, and what libfuse 2 leaves of a thread that ends. */
const NAME_BYTES = 1024
const THREAD_BYTES = 12 * 1024

type Sample = {
  rss: number
  fds: number
  /** the process's threads now, and those that libfuse ever started */
  threads: number
  started: number
  requests: number
  /** JavaScript's memory, and what is outside of it: blocks, and libfuse's records */
  heap: number
  external: number
  /** names that the server keeps, up to 200,000 */
  children: number
  /** of a look at a name that is not there and was not asked for before, so that it reaches the server, in ms: the median and the 99th of 100 */
  median: number
  p99: number
}

test(`${SECONDS} s of parallel reads: flat memory, threads, descriptors, latency`, {
  skip: NO_MOUNT,
  timeout: (SECONDS + 120) * 1000,
}, async (t) => {
  const mounted = await mountedStore(t, { 'mount.cacheBytes': CACHE_BYTES })
  const { trees, within } = await fill(t, mounted)
  let round = 0
  const renew = async () => {
    const root = await wrap(mounted, trees, `${round++}`)
    writeFileAtomic(within, String(root))
    return root
  }
  const first = await renew()
  const readers = Array.from({ length: READERS }, (_, n) => startReader(t, mounted, within, SEED + n))
  const samples: Sample[] = []
  const every = Math.max(1, Math.floor(SECONDS / 30))
  const begun = Date.now()
  for (let next = begun; Date.now() - begun < SECONDS * 1000; await delay(RENEW_MS)) {
    await renew()
    if (Date.now() < next) continue
    next += every * 1000
    samples.push(await sample(mounted, first))
  }
  const done = await Promise.all(readers.map((end) => end()))
  const operations = done.reduce((sum, one) => sum + one.operations, 0)
  const third = Math.floor(samples.length / 3)
  const early = typical(samples.slice(third, 2 * third))
  const late = typical(samples.slice(-third))
  t.diagnostic(JSON.stringify({ operations, early, late, last: samples.at(-1) }))
  for (const { errors } of done) assert.deepEqual(errors, {})
  const names = late.children - early.children
  const started = late.started - early.started
  const allowed = 48 * MIB + names * NAME_BYTES + started * THREAD_BYTES
  assert.ok(late.rss < early.rss + allowed, `memory: ${early.rss} to ${late.rss}`)
  assert.ok(late.fds <= early.fds + 4, `descriptors: ${early.fds} to ${late.fds}`)
  assert.ok(late.threads <= early.threads + 16, `threads: ${early.threads} to ${late.threads}`)
  assert.ok(late.median < 3 * early.median + 1, `latency: ${early.median} to ${late.median} ms`)
  // Without load it goes back to what it needs.
  await delay(1000)
  const idle = await sample(mounted, first)
  t.diagnostic(JSON.stringify({ idle }))
  assert.ok(idle.threads < 64, `${idle.threads} threads when nobody asks`)
})

async function fill(t: TestContext, { store }: MountedStore) {
  const directory = await temporaryDirectory(t)
  const trees: { path: string; cid: CID; size: number }[] = []
  for (let index = 0; index < TREES; index++) {
    const files = new Map([...treeFiles(index), ['big', bytesOf(`big ${index}`, 3_000_000)]])
    const path = writeTree(join(directory, `t${index}`), files)
    await withAdd(store, async (add) => {
      const { cid, size } = await importTree(add, path)
      trees.push({ path: `t${index}`, cid, size })
    })
  }
  return { trees, within: join(directory, 'within') }
}

/** A directory of its own around the trees: the kernel knows none of the paths below it. */
function wrap({ store }: MountedStore, trees: { path: string; cid: CID; size: number }[], name: string) {
  return withAdd(store, async (add) => {
    return (await buildTree(add, [...trees, { path: 'round/name', content: Buffer.from(name) }])).cid
  })
}

function startReader(t: TestContext, { store }: MountedStore, within: string, seed: number) {
  const script = join(import.meta.dirname, 'soak-reader.ts')
  const flags = ['--disable-warning=ExperimentalWarning', script, store.paths.store, within, `${seed}`]
  const child = spawn(process.execPath, flags, {
    env: { ...process.env, UV_THREADPOOL_SIZE: '16' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const closed = once(child, 'close')
  return async () => {
    child.kill('SIGTERM')
    await closed
    return JSON.parse(said) as { operations: number; errors: Record<string, number> }
  }
}

async function sample(mounted: MountedStore, root: CID): Promise<Sample> {
  const {
    pid,
    threads: started,
    requests,
    heap,
    external,
    tree,
  } = (await mounted.status()) as Counts & {
    heap: number
    external: number
    tree: { children: number }
  }
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1])
  const round = performance.now()
  const times = Array.from({ length: 100 }, (_, n) => {
    const begun = performance.now()
    statSync(mounted.path(root, `none ${round} ${n}`), { throwIfNoEntry: false })
    return performance.now() - begun
  }).sort((a, b) => a - b)
  return {
    rss: field('VmRSS') * 1024,
    fds: readdirSync(`/proc/${pid}/fd`).length,
    threads: field('Threads'),
    started,
    heap,
    external,
    children: tree.children,
    requests: Object.values(requests).reduce((sum, count) => sum + count, 0),
    median: times[50]!,
    p99: times[98]!,
  }
}

/** The median of each figure. */
function typical(samples: Sample[]): Sample {
  const median = (name: keyof Sample) =>
    samples.map((one) => one[name]).sort((a, b) => a - b)[samples.length >> 1]!
  const names = Object.keys(samples[0]!) as (keyof Sample)[]
  return Object.fromEntries(names.map((name) => [name, median(name)])) as Sample
}
