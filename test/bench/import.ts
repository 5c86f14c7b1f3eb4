// Import against its limit: a bare loop that hashes every chunk and writes it to a
// file, on the same tree, and against nix-store and ostree where they are installed.
// Every measurement is a process of its own, so that its peak memory is its own.
// Alone: `node test/bench/import.ts [directory to work in]`.

import { spawnSync } from 'node:child_process'
import { hash, randomFillSync } from 'node:crypto'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withAdd } from '../../src/store/add.ts'
import { CHUNK_BYTES } from '../../src/store/import/format.ts'
import { importTree } from '../../src/store/import/import-tree.ts'
import { Store } from '../../src/store/store.ts'

export type ImportFigures = {
  title: string
  bareMs: number
  oursMs: number
  /** bare / ours, the median over the rounds; above 1 is faster than the bare loop */
  ratio: number
  /** the same with the durability barrier inside our time */
  ratioWithBarrier: number
  peakMiB: number
  /** milliseconds, whole processes; only of those that are installed */
  peers: Record<string, number>
}

/** As src/cli/pkg starts Node. */
const LAUNCHER_FLAGS = ['--max-semi-space-size=16']

type Sample = { ms: number; barrierMs: number; peakMiB: number }

type Workload = { title: string; make(tree: string): void }

const LARGE: Workload = {
  title: 'one file of 512 MiB',
  make: (tree) => writeRandom(join(tree, 'file'), 512),
}

const SMALL: Workload = {
  title: '20,000 files of 4 KiB',
  make: (tree) => {
    for (let index = 0; index < 20_000; index++) {
      const directory = join(tree, `d${Math.floor(index / 200)}`)
      if (index % 200 === 0) mkdirSync(directory)
      writeFileSync(join(directory, `f${index}`), randomFillSync(Buffer.allocUnsafe(4096)))
    }
  },
}

/** Not measured for speed: what could make memory grow. */
const WIDE: Workload = {
  title: 'one directory of 100,000 files',
  make: (tree) => {
    for (let index = 0; index < 100_000; index++)
      writeFileSync(join(tree, `entry-${index}`), String(index % 100))
  },
}

const LONG: Workload = {
  title: 'a sparse file of 8 GiB',
  make: (tree) => {
    writeFileSync(join(tree, 'file'), '')
    truncateSync(join(tree, 'file'), 8 * 1024 * CHUNK_BYTES)
  },
}

/** Measures in a new directory below `directory`, which is removed again. Takes about a minute. */
export function benchImport(directory = tmpdir(), { rounds = 5 } = {}): ImportFigures[] {
  return [LARGE, SMALL].map((workload) =>
    inTree(directory, workload, (tree, at) => compare(workload, { tree, at, rounds })),
  )
}

/** Peak memory of importing what is large in some direction, in MiB. */
export function benchImportMemory(directory = tmpdir()): { title: string; peakMiB: number }[] {
  return [LARGE, SMALL, WIDE, LONG].map((workload) =>
    inTree(directory, workload, (tree, at) => ({
      title: workload.title,
      peakMiB: sample('ours', tree, at).peakMiB,
    })),
  )
}

function inTree<T>(directory: string, workload: Workload, measure: (tree: string, at: string) => T): T {
  const at = mkdtempSync(join(directory, 'bench-import-'))
  try {
    const tree = join(at, 'tree')
    mkdirSync(tree)
    workload.make(tree)
    return measure(tree, at)
  } finally {
    rmSync(at, { recursive: true, force: true })
  }
}

function compare(
  { title }: Workload,
  { tree, at, rounds }: { tree: string; at: string; rounds: number },
): ImportFigures {
  const bare: Sample[] = []
  const ours: Sample[] = []
  for (let round = 0; round < rounds; round++) {
    bare.push(sample('bare', tree, at))
    ours.push(sample('ours', tree, at))
  }
  const ratios = (of: (one: Sample) => number) => median(ours.map((one, round) => bare[round]!.ms / of(one)))
  return {
    title,
    bareMs: median(bare.map(({ ms }) => ms)),
    oursMs: median(ours.map(({ ms }) => ms)),
    ratio: ratios(({ ms }) => ms),
    ratioWithBarrier: ratios(({ barrierMs }) => barrierMs),
    peakMiB: Math.max(...ours.map(({ peakMiB }) => peakMiB)),
    peers: Object.fromEntries(PEERS.flatMap((peer) => measurePeer(peer, tree, at))),
  }
}

type Peer = { name: string; prepare(to: string): string[][]; command(tree: string, to: string): string[] }

const PEERS: Peer[] = [
  {
    name: 'nix-store --add',
    prepare: () => [],
    command: (tree, to) => ['nix-store', '--store', `local?root=${to}`, '--add', tree],
  },
  {
    name: 'ostree commit',
    prepare: (to) => [['ostree', `--repo=${to}`, 'init', '--mode=bare-user']],
    command: (tree, to) => ['ostree', `--repo=${to}`, 'commit', '--branch=bench', `--tree=dir=${tree}`],
  },
]

function measurePeer({ name, prepare, command }: Peer, tree: string, at: string): [string, number][] {
  const to = mkdtempSync(join(at, 'peer-'))
  try {
    const run = ([program, ...args]: string[]) =>
      spawnSync(program!, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    for (const step of prepare(to)) run(step)
    settle()
    const began = performance.now()
    const { status } = run(command(tree, to))
    return status === 0 ? [[name, performance.now() - began]] : []
  } finally {
    rmSync(to, { recursive: true, force: true })
  }
}

/** Earlier writes reach the disk first: they would be paid for by whoever comes next. */
function settle(): void {
  spawnSync('sync')
}

function sample(kind: 'bare' | 'ours', tree: string, at: string): Sample {
  const to = mkdtempSync(join(at, `${kind}-`))
  try {
    settle()
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      [...LAUNCHER_FLAGS, fileURLToPath(import.meta.url), kind, tree, to],
      {
        encoding: 'utf8',
      },
    )
    if (status !== 0) throw new Error(`measuring failed: ${stderr}`)
    return JSON.parse(stdout) as Sample
  } finally {
    rmSync(to, { recursive: true, force: true })
  }
}

async function measureOurs(tree: string, prefix: string): Promise<Pick<Sample, 'ms' | 'barrierMs'>> {
  const store = Store.open(prefix)
  const began = performance.now()
  return withAdd(store, async (add) => {
    const { cid } = await importTree(add, tree)
    const ms = performance.now() - began
    await add.commit([cid])
    return { ms, barrierMs: performance.now() - began }
  }).finally(() => store.close())
}

function measureBare(tree: string, to: string): Pick<Sample, 'ms' | 'barrierMs'> {
  for (let shard = 0; shard < 1024; shard++) mkdirSync(join(to, shard.toString(36)))
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  const began = performance.now()
  const add = (directory: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name)
      if (entry.isDirectory()) add(path)
      else addFile(path)
    }
  }
  const addFile = (path: string): void => {
    const fd = openSync(path, 'r')
    for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer)) {
      const chunk = buffer.subarray(0, count)
      const name = hash('sha256', chunk)
      writeFileSync(join(to, (Number.parseInt(name.slice(0, 4), 16) % 1024).toString(36), name), chunk)
    }
    closeSync(fd)
  }
  add(tree)
  const ms = performance.now() - began
  return { ms, barrierMs: ms }
}

function writeRandom(file: string, mebibytes: number): void {
  const fd = openSync(file, 'w')
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  for (let index = 0; index < mebibytes; index++) writeSync(fd, randomFillSync(chunk))
  closeSync(fd)
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [kind, tree, to] = process.argv.slice(2)
  if ((kind === 'bare' || kind === 'ours') && tree && to) {
    const times = kind === 'bare' ? measureBare(tree, to) : await measureOurs(tree, to)
    console.log(JSON.stringify({ ...times, peakMiB: process.resourceUsage().maxRSS / 1024 }))
  } else {
    console.table(benchImport(kind))
    console.table(benchImportMemory(kind))
  }
}
