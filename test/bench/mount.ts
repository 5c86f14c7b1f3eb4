// The mount against the same files on the file system below, cold and warm, and
// against squashfuse where it is installed. Cold means: a server that was just
// started, and the kernel's caches dropped, which takes root.
// Alone: `node test/bench/mount.ts [directory to work in]`.

import { spawnSync } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { unmount } from '../../src/mount/mountpoint.ts'
import { fuseObstacle } from '../../src/mount/requirements.ts'
import { withAdd } from '../../src/store/add.ts'
import { importTree } from '../../src/store/import/import-tree.ts'
import { Store } from '../../src/store/store.ts'
import { MountedStore } from '../mount/mounted.ts'

export type MountFigures = {
  title: string
  /** milliseconds, the median over the rounds; whole processes */
  ext4Ms: number
  oursMs: number
  /** ours / ext4, the median of the rounds' ratios; and the most it may be */
  ratio: number
  limit: number
  /** squashfuse on the same data, where it is installed */
  squashfuseMs?: number
  /** requests that reached the server while a warm measurement ran */
  requests?: number
}

type Workload = {
  title: string
  tree: 'large' | 'small' | 'few'
  command: string
  limit: number
  cold: boolean
}

const WORKLOADS: Workload[] = [
  { title: 'cold read of 512 MiB', tree: 'large', command: 'cat file', limit: 2, cold: true },
  { title: 'cold ls -lR of 20,000', tree: 'small', command: 'ls -lR .', limit: 6, cold: true },
  { title: 'cold cat of 20,000 × 4 KiB', tree: 'small', command: 'cat */*', limit: 3, cold: true },
  { title: 'warm read of 512 MiB', tree: 'large', command: 'cat file', limit: 1.1, cold: false },
  {
    title: 'warm cat of 5,000 × 4 KiB',
    tree: 'few',
    command: 'xargs cat < "$NAMES"',
    limit: 1.1,
    cold: false,
  },
]

const ROUNDS = 3
const SETTLE_MS = 2000
const MIB = 1024 * 1024
const DROP_CACHES = '/proc/sys/vm/drop_caches'

/** Measures all workloads in `directory`, on whatever file system that is; empty where mounting is not possible. */
export async function measureMount(directory = tmpdir()): Promise<MountFigures[]> {
  if (fuseObstacle()) return []
  const work = mkdtempSync(join(directory, 'pkg-bench-'))
  const store = Store.open(join(work, 'prefix'))
  const mounted = new MountedStore(store, buildServer(join(work, 'dist')))
  try {
    makeTrees(work)
    writeNames(work)
    const roots = new Map<string, string>()
    for (const tree of ['large', 'small', 'few']) roots.set(tree, await add(store, join(work, tree)))
    const figures: MountFigures[] = []
    for (const workload of WORKLOADS) {
      if (workload.cold && process.getuid?.() !== 0) continue
      const ours = mounted.path(roots.get(workload.tree) as string)
      figures.push(await measure(workload, { work, ours, mounted }))
    }
    return figures
  } finally {
    await mounted.close()
    store.close()
    rmSync(work, { recursive: true, force: true })
  }
}

type Places = { work: string; ours: string; mounted: MountedStore }

async function measure(workload: Workload, { work, ours, mounted }: Places): Promise<MountFigures> {
  const below = join(work, workload.tree)
  const names = join(work, 'names')
  const samples: { ext4: number; ours: number; squashfuse?: number; requests: number }[] = []
  for (let round = 0; round < ROUNDS; round++) {
    if (workload.cold) await mounted.stop()
    if (mounted.server === undefined) {
      await mounted.start()
      // A server that runs has all its threads.
      await delay(SETTLE_MS)
    }
    // Warm is the second time.
    if (!workload.cold) for (const place of [below, ours]) run(workload.command, place, names)
    if (workload.cold) dropCaches()
    const ext4 = run(workload.command, below, names)
    const before = await requests(mounted)
    if (workload.cold) dropCaches()
    const time = run(workload.command, ours, names)
    const squashfuse = workload.cold ? await measureSquashfuse(workload, work) : undefined
    const asked = (await requests(mounted)) - before
    samples.push({ ext4, ours: time, requests: asked, ...(squashfuse !== undefined && { squashfuse }) })
  }
  const peers = samples.flatMap(({ squashfuse }) => squashfuse ?? [])
  return {
    title: workload.title,
    ext4Ms: median(samples.map(({ ext4 }) => ext4)),
    oursMs: median(samples.map((sample) => sample.ours)),
    ratio: median(samples.map((sample) => sample.ours / sample.ext4)),
    limit: workload.limit,
    ...(peers.length > 0 && { squashfuseMs: median(peers) }),
    ...(!workload.cold && { requests: median(samples.map((sample) => sample.requests)) }),
  }
}

/** Milliseconds of a shell command in a directory; its output goes nowhere. */
function run(command: string, cwd: string, names = ''): number {
  const start = performance.now()
  const env = { ...process.env, NAMES: names }
  const { status, stderr } = spawnSync('sh', ['-c', `${command} > /dev/null`], { cwd, env })
  if (status !== 0) throw new Error(`${command} in ${cwd}: ${stderr}`)
  return performance.now() - start
}

async function measureSquashfuse({ tree, command }: Workload, work: string): Promise<number | undefined> {
  if (!['mksquashfs', 'squashfuse'].every(inPath)) return undefined
  const image = join(work, `${tree}.squashfs`)
  const point = join(work, `${tree}.mount`)
  if (!existsSync(image)) {
    // Large blocks and no compression of what is random: its best case.
    spawnSync('mksquashfs', [join(work, tree), image, '-quiet', '-no-progress', '-comp', 'zstd', '-b', '1M'])
  }
  mkdirSync(point, { recursive: true })
  if (spawnSync('squashfuse', [image, point]).status !== 0) return undefined
  try {
    dropCaches()
    return run(command, point)
  } finally {
    await unmount(point)
  }
}

async function requests(mounted: MountedStore): Promise<number> {
  return Object.values((await mounted.status()).requests).reduce((sum, count) => sum + count, 0)
}

async function add(store: Store, path: string): Promise<string> {
  return await withAdd(store, async (session) => {
    const { cid } = await importTree(session, path)
    await session.commit([cid])
    return cid.toString()
  })
}

function dropCaches(): void {
  spawnSync('sync')
  writeFileSync(DROP_CACHES, '3')
}

/** One large file; 200 directories of 100 small files; and 50 of them. All random: nothing compresses. */
function makeTrees(work: string): void {
  mkdirSync(join(work, 'large'))
  const chunk = Buffer.alloc(MIB)
  const fd = openSync(join(work, 'large', 'file'), 'w')
  for (let index = 0; index < 512; index++) writeSync(fd, randomFillSync(chunk))
  closeSync(fd)
  for (const [tree, directories] of [
    ['small', 200],
    ['few', 50],
  ] as const) {
    for (let index = 0; index < directories; index++) {
      const directory = join(work, tree, `d${index}`)
      mkdirSync(directory, { recursive: true })
      for (let file = 0; file < 100; file++) {
        writeFileSync(join(directory, `f${file}`), randomFillSync(Buffer.alloc(4096)))
      }
    }
  }
}

/** The product is what is measured, not the sources. Gives the server's program. */
function buildServer(outdir: string): string {
  const build = fileURLToPath(new URL('../../native-notes/build.ts', import.meta.url))
  const { status, stderr } = spawnSync(process.execPath, [build, '--outdir', outdir, '--no-types'])
  if (status !== 0) throw new Error(`the build failed: ${stderr}`)
  return join(outdir, 'mount-server.js')
}

/** Listing asks the server each time (kernel-caches.md): warm reads are measured with the names at hand. */
function writeNames(work: string): void {
  const names = Array.from({ length: 5000 }, (_, index) => `d${Math.floor(index / 100)}/f${index % 100}`)
  writeFileSync(join(work, 'names'), names.join('\n'))
}

function inPath(program: string): boolean {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .some((folder) => folder !== '' && existsSync(join(folder, program)))
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.table(await measureMount(process.argv[2]))
