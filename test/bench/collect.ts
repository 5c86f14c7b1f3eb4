// A collection as a whole process, against the bare cost of its unlinks, and beside
// peers on stores with as many objects; and how long adds of other processes take
// while it runs. A tenth of the blocks is dead.
//
// PKG_BENCH_BLOCKS says how many blocks the store has: 100,000 if not given.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Store } from '../../src/store/store.ts'
import { collectPeers } from './collect-peers.ts'
import { addDead, makeCollectStore, PACKAGE_BLOCKS } from './collect-store.ts'
import { median, settle } from './measure.ts'
import { launcher } from './product.ts'
import type { Row } from './table.ts'
import type { Work } from './work.ts'

const BLOCKS = Number(process.env.PKG_BENCH_BLOCKS ?? 100_000)
const DEAD = BLOCKS / 10
const ROUNDS = 3
const ADDERS = 2
/** An add shall never wait longer than this for a collection, in ms. */
const WAIT_LIMIT = 100
const MEMORY_LIMIT_MIB = 200

export async function benchCollect(work: Work): Promise<Row[]> {
  const prefix = work.fresh('collect')
  const { dead } = makeCollectStore(prefix, { blocks: BLOCKS, dead: DEAD })
  const packages = Math.round(dead / PACKAGE_BLOCKS)
  const ours: Collected[] = []
  const bare: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    if (round > 0) fill(prefix, packages)
    bare.push(await bareUnlinks(work, dead))
    settle()
    ours.push(await collect(work, prefix))
  }
  const title = `${BLOCKS.toLocaleString('en')} blocks, ${dead.toLocaleString('en')} of them dead`
  const middle = median(ours.map(({ ms }) => ms))
  const memory = Math.max(...ours.map(({ mib }) => mib))
  const peers: Record<string, number> = {}
  for (const peer of collectPeers(work)) {
    const directory = work.fresh(`collect-${peer.name}`)
    peer.make(directory, BLOCKS, dead)
    settle()
    peers[peer.name] = peer.collect(directory)
    rmSync(directory, { recursive: true, force: true })
  }
  return [
    {
      title: `pkg gc: ${title}`,
      ours: middle,
      reference: median(bare),
      against: 'bare unlinks',
      ratio: median(ours.map(({ ms }, round) => ms / bare[round]!)),
      peers,
    },
    {
      title: `peak memory, pkg gc: ${title}`,
      ours: memory,
      reference: MEMORY_LIMIT_MIB,
      against: 'limit',
      ratio: memory / MEMORY_LIMIT_MIB,
      limit: 1,
      unit: 'MiB',
    },
    ...(await waits(work, prefix, packages)),
  ]
}

function fill(prefix: string, packages: number): void {
  const store = Store.open(prefix)
  addDead(store, packages)
  store.close()
}

type Collected = { ms: number; mib: number }

/** `pkg gc` as it is launched, and its peak. */
async function collect(work: Work, prefix: string): Promise<Collected> {
  const report = join(work.directory, 'collected')
  const hook = join(work.directory, 'collected.mjs')
  writeFileSync(
    hook,
    `import { isMainThread } from 'node:worker_threads'
    import { writeFileSync } from 'node:fs'
    const tell = () => writeFileSync(${JSON.stringify(report)}, String(process.resourceUsage().maxRSS / 1024))
    if (isMainThread) process.on('exit', tell)`,
  )
  const began = performance.now()
  const child = spawn(launcher(work), ['--prefix', prefix, 'gc', '--json'], {
    env: { ...process.env, PKG_NODE_OPTIONS: `--import=${hook}` },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (data) => {
    said += data
  })
  const [status] = await once(child, 'close')
  if (status !== 0) throw new Error(`pkg gc: ${said}`)
  const ms = performance.now() - began
  return { ms, mib: Number(readFileSync(report, 'utf8')) }
}

/** As many files of the same size, in as many directories, unlinked one by one. */
async function bareUnlinks(work: Work, count: number): Promise<number> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'collect-bare.ts'), work.fresh('bare'), `${count}`],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let said = ''
  child.stdout.on('data', (data) => {
    said += data
  })
  const [status] = await once(child, 'close')
  if (status !== 0) throw new Error('the bare unlinks failed')
  return Number(said)
}

/** Adds of other processes, while a collection runs and while none does. */
async function waits(work: Work, prefix: string, packages: number): Promise<Row[]> {
  fill(prefix, packages)
  settle()
  const alone = await beside(work, prefix, () => delay(5000))
  const during = await beside(work, prefix, () => collect(work, prefix))
  const longest = Math.max(...during)
  return [
    {
      title: `longest add beside pkg gc of ${BLOCKS.toLocaleString('en')} blocks, ${ADDERS} adders`,
      ours: longest,
      reference: Math.max(...alone),
      against: 'no collection',
      ratio: longest / Math.max(...alone),
      note: `${spread(during)}; without: ${spread(alone)}; limit ${WAIT_LIMIT} ms above that`,
    },
  ]
}

async function beside(work: Work, prefix: string, act: () => Promise<unknown>): Promise<number[]> {
  const enough = join(work.fresh('adders'), 'enough')
  const adders = Array.from({ length: ADDERS }, (_, index) => {
    const script = join(import.meta.dirname, 'collect-adder.ts')
    const child = spawn(process.execPath, [script, prefix, `adder-${index}`, enough], {
      env: { ...process.env, PKG_TEST_BREAK: 'barrier' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    work.defer(() => child.kill())
    let said = ''
    child.stdout.on('data', (data) => {
      said += data
    })
    return once(child, 'close').then(() => JSON.parse(said) as number[])
  })
  // Their start is not what is measured.
  await delay(1000)
  await act()
  writeFileSync(enough, '')
  const times = await Promise.all(adders)
  return times.flatMap((all) => all.slice(5))
}

function spread(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (part: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!.toFixed(1)
  return `${sorted.length} adds: p50 ${at(0.5)}, p99 ${at(0.99)}, p99.9 ${at(0.999)}, max ${at(1)} ms`
}
