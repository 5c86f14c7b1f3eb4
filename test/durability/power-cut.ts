// Power cuts under load. Processes of the stress tests work on a prefix on a disk of
// its own; at a random instant nothing is written any more; they are killed, the disk
// is mounted again, and the ledgers, the independent checker and the store look at it.
//
// Each round is another boot of the machine to the product: its processes see another
// boot id, bound over the kernel's in a mount namespace of their own.

import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { withAdd } from '../../src/store/add/add.ts'
import { recheck } from '../../src/store/add/recheck.ts'
import { exportCar } from '../../src/store/car/write.ts'
import { importTree } from '../../src/store/import/import-tree.ts'
import { Store } from '../../src/store/store.ts'
import { collect } from '../helpers/store.ts'
import { type Owner, temporaryDirectory } from '../helpers/temp.ts'
import { checkBlockFiles, checkPrefix } from '../stress/checker.ts'
import { treeFiles, writeProgram, writeTree } from '../stress/content.ts'
import { JournalReader } from '../stress/journal.ts'
import { Ledger } from '../stress/ledger.ts'
import { pickerOf, randomOf } from '../stress/random.ts'
import type { WorkerData } from '../stress/worker.ts'
import { makeDisk } from './disk.ts'

/** The disk is cut when the processes have done at most so many operations together. */
const MOST_OPERATIONS = 24

const TREES = 8
const PROGRAMS = 3

const WORKER = join(import.meta.dirname, '..', 'stress', 'worker.ts')

/** With another boot id than the kernel's: the first argument is a file with it. */
const IN_OTHER_BOOT = 'mount --bind "$1" /proc/sys/kernel/random/boot_id && shift && exec "$@"'

/** How data, journal and metadata reach a disk in which order: ext4(5). */
export const MOUNT_OPTIONS = [
  'data=ordered',
  'data=writeback',
  'data=writeback,nodelalloc,noauto_da_alloc',
  'noauto_da_alloc,commit=1',
  'data=journal',
] as const

export type CutFigures = {
  cuts: number
  done: Record<string, number>
  /** block files that the look after a cut read, and that it found damaged */
  rechecked: number
  damaged: number
  wrong: string[]
}

export type CutOptions = {
  library: string
  seed: number
  cuts: number
  mountOptions?: readonly string[]
  env?: NodeJS.ProcessEnv
}

/** Runs until so many cuts are done, or something is wrong; in a process with mounts of its own: see makeDisk. */
export async function cutPower(options: CutOptions): Promise<CutFigures> {
  const own = [process.execPath, '--disable-warning=ExperimentalWarning', import.meta.filename]
  const child = spawn('unshare', ['--mount', ...own, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const text = await new Response(Readable.toWeb(child.stdout) as ReadableStream).text()
  return JSON.parse(text) as CutFigures
}

async function cutPowerHere(t: Owner, options: CutOptions): Promise<CutFigures> {
  const { seed, cuts, mountOptions = MOUNT_OPTIONS } = options
  const random = randomOf(seed)
  const disk = await makeDisk(t)
  const work = await makeWork(t)
  const prefix = join(disk.directory, 'prefix')
  const ledgers = ['a', 'b'].map((user) => new Ledger(prefix, user, join(work, 'registries', user, 'root')))
  const readers = ledgers.map(({ user }) => new JournalReader(join(work, `${user}.journal`)))
  const collector = new JournalReader(join(work, 'collector.journal'))
  const figures: CutFigures = { cuts: 0, done: {}, rechecked: 0, damaged: 0, wrong: [] }
  const found = (wrong: string[], when: string) =>
    figures.wrong.push(...wrong.map((one) => `${one} (${when})`))
  try {
    for (; ; figures.cuts++) {
      const how = pickerOf(random)(mountOptions)
      disk.mount(how)
      if (figures.cuts === 0) await makeCars(prefix, work)
      const when = `after cut ${figures.cuts}, now ${how}`
      if (figures.cuts > 0) found([...ledgers.flatMap((one) => one.check()), ...checkPrefix(prefix)], when)
      const looked = await lookAgain(prefix)
      figures.rechecked += looked.blocks
      figures.damaged += looked.bad
      found(
        checkBlockFiles(prefix).map((one) => `${one}, and nobody found it`),
        when,
      )
      if (figures.cuts === cuts || figures.wrong.length > 0) return count(figures, ledgers)

      const boot = join(work, 'boot')
      writeFileSync(boot, `${randomUUID()}\n`)
      const start = (user: string, kind: WorkerData['kind']) => {
        const data = {
          prefix,
          work,
          user,
          kind,
          journal: join(work, `${user}.journal`),
          library: options.library,
        }
        const more = { seed: Math.floor(random() * 2 ** 31), trees: TREES, programs: PROGRAMS }
        return startWorker({ ...data, ...more }, boot, options.env)
      }
      const children = [...ledgers.map(({ user }) => start(user, 'load')), start('collector', 'collector')]
      // So much work, however long the machine takes for it; and then at any instant.
      let left = 1 + Math.floor(random() * MOST_OPERATIONS)
      while (left > 0 && children.every(({ child }) => child.exitCode === null)) {
        await delay(2)
        for (const [index, ledger] of ledgers.entries()) {
          const entries = readers[index]!.read()
          left -= entries.filter(({ state }) => state !== 'intent').length
          ledger.take(entries)
        }
      }
      await delay(random() * 20)
      const early = children.filter(({ child }) => child.exitCode !== null)
      found(
        early.map(({ said }) => `a process ended by itself: ${said()}`),
        when,
      )
      for (const [index, ledger] of ledgers.entries()) ledger.take(readers[index]!.read())
      disk.cut()
      await Promise.all(children.map(end))
      for (const [index, ledger] of ledgers.entries()) {
        // That they failed for want of a disk is no news; what they were told is done, and began, is.
        ledger.take(readers[index]!.read().filter(({ state }) => state !== 'failed'))
        ledger.killed()
      }
      collector.read()
      await disk.unmount()
    }
  } finally {
    for (const reader of [...readers, collector]) reader.close()
  }
}

/** As the first process to add in a new boot: the mark names another one than this process's. */
async function lookAgain(prefix: string): Promise<{ blocks: number; bad: number }> {
  const store = Store.open(prefix)
  try {
    const { stableMark } = store.paths
    const { mtime } = statSync(stableMark)
    writeFileSync(
      stableMark,
      readFileSync(stableMark, 'latin1').replace(/^stable 1 \S+/, `stable 1 ${randomUUID()}`),
    )
    utimesSync(stableMark, mtime, mtime)
    const looked = await recheck(store)
    return { blocks: looked?.blocks ?? 0, bad: looked?.bad.length ?? 0 }
  } finally {
    store.close()
  }
}

type Worker = { child: ChildProcess; said(): string }

function startWorker(data: WorkerData, boot: string, env: NodeJS.ProcessEnv = {}): Worker {
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', WORKER, JSON.stringify(data)]
  const child = spawn('unshare', ['--mount', 'sh', '-c', IN_OTHER_BOOT, 'sh', boot, ...node], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
  })
  return { child, said: () => text }
}

async function end({ child }: Worker): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

async function makeWork(t: Owner): Promise<string> {
  const work = await temporaryDirectory(t)
  mkdirSync(join(work, 'registries'))
  for (let n = 0; n < TREES; n++) writeTree(join(work, 'trees', `t${n}`), treeFiles(n))
  for (let n = 0; n < PROGRAMS; n++) {
    for (const version of ['1.0.0', '2.0.0']) {
      writeProgram(join(work, 'programs', `p${n}-${version}`), `p${n}`, version)
    }
  }
  return work
}

/** The trees as CAR files; their blocks are in the prefix then, and nothing refers to them. */
async function makeCars(prefix: string, work: string): Promise<void> {
  const store = Store.open(prefix)
  try {
    for (let n = 0; n < TREES; n++) {
      const { cid } = await withAdd(store, (add) => importTree(add, join(work, 'trees', `t${n}`)))
      writeFileSync(join(work, 'trees', `t${n}.car`), await collect(exportCar(store, cid)))
    }
  } finally {
    store.close()
  }
}

function count(figures: CutFigures, ledgers: readonly Ledger[]): CutFigures {
  for (const { done } of ledgers) {
    for (const [op, times] of Object.entries(done)) figures.done[op] = (figures.done[op] ?? 0) + times
  }
  return figures
}

if (process.argv[1] === import.meta.filename) {
  const hooks: (() => unknown)[] = []
  try {
    const options = JSON.parse(process.argv[2]!) as CutOptions
    process.stdout.write(JSON.stringify(await cutPowerHere({ after: (fn) => void hooks.push(fn) }, options)))
  } finally {
    for (const hook of hooks) await hook()
  }
}
