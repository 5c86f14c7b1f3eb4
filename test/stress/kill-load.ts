// The load of the kill tests: processes that work on one prefix at once, are killed
// at random instants and replaced at once. What each was told is done is looked at
// by the ledger and the checker, which share no code with the store.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { build } from 'esbuild'
import { STOP_POINTS } from '../../src/pins/stop-point.ts'
import { CHANGE_STEPS } from '../../src/profiles/write.ts'
import { checkPrefix, countBlocks, leftovers } from './checker.ts'
import { JournalReader } from './journal.ts'
import { Ledger } from './ledger.ts'
import type { Product } from './product.ts'
import { pickerOf, randomOf } from './random.ts'
import type { WorkerData } from './worker.ts'

/** A worker lives at most so long from its first operation on, in ms: most do some ten. */
const LIFE_MS = 1600
/** A collector, so that some come to their end also on a busy machine. */
const COLLECTOR_LIFE_MS = 3500
/** Some are killed while they start. */
const WHILE_STARTING = 0.05
/** The whole prefix is looked at after so many kills. */
const WHOLE_EVERY = 20
/** How many of the workers die at a named point instead of at any instant. */
const AT_POINT = 0.15

export type LoadOptions = {
  prefix: string
  work: string
  product: Product
  seed: number
  kills: number
  trees: number
  programs: number
  /** processes that change things, and processes that collect */
  loaders: number
  collectors: number
  env: NodeJS.ProcessEnv
  /** more of it for collectors */
  collectorEnv?: NodeJS.ProcessEnv
}

export type Figures = {
  kills: Record<string, number>
  done: Record<string, number>
  refused: Record<string, number>
  /** by collections that came to their end */
  collectedBlocks: number
  /** by which the store was smaller at one look than at the one before: those of killed collections too */
  blocksGone: number
  checks: number
  mostLeftovers: number
  wrong: string[]
}

export class KillLoad {
  readonly #options: LoadOptions
  readonly #random: () => number
  readonly #ledgers: Ledger[] = []
  #script = ''
  #blocks = 0
  readonly figures: Figures = {
    kills: {},
    done: {},
    refused: {},
    collectedBlocks: 0,
    blocksGone: 0,
    checks: 0,
    mostLeftovers: 0,
    wrong: [],
  }

  constructor(options: LoadOptions) {
    this.#options = options
    this.#random = randomOf(options.seed)
  }

  get total(): number {
    return Object.values(this.figures.kills).reduce((sum, count) => sum + count, 0)
  }

  get ended(): boolean {
    return this.total >= this.#options.kills || this.figures.wrong.length > 0
  }

  random(): number {
    return this.#random()
  }

  /** Runs until so many were killed, or something is wrong. */
  async run(more: ((load: KillLoad) => Promise<void>)[] = []): Promise<Figures> {
    const { work, loaders, collectors } = this.#options
    for (const name of ['journals', 'registries']) mkdirSync(join(work, name), { recursive: true })
    this.#script = join(work, 'worker.mjs')
    await build({
      entryPoints: [join(import.meta.dirname, 'worker.ts')],
      outfile: this.#script,
      bundle: true,
      format: 'esm',
      platform: 'node',
    })
    await Promise.all([
      ...Array.from({ length: loaders }, (_, n) => this.#slot(`load${n}`, 'load')),
      ...Array.from({ length: collectors }, (_, n) => this.#slot(`collector${n}`, 'collector')),
      ...more.map((one) => one(this)),
    ])
    this.checkAll()
    for (const ledger of this.#ledgers) this.#count(ledger)
    return this.figures
  }

  ledger(user: string, registryLink = ''): Ledger {
    const ledger = new Ledger(this.#options.prefix, user, registryLink)
    this.#ledgers.push(ledger)
    return ledger
  }

  /** After a kill: what this one was told; and from time to time all there is. */
  killed(kind: string, ledger?: Ledger): void {
    this.figures.kills[kind] = (this.figures.kills[kind] ?? 0) + 1
    if (ledger) this.#found(ledger.check(), `after kill ${this.total}`)
    if (this.total % WHOLE_EVERY === 0) this.checkAll()
  }

  checkAll(): void {
    const { prefix } = this.#options
    this.#found(checkPrefix(prefix), `in the whole prefix after kill ${this.total}`)
    const blocks = countBlocks(prefix)
    this.figures.blocksGone += Math.max(0, this.#blocks - blocks)
    this.#blocks = blocks
    this.figures.mostLeftovers = Math.max(this.figures.mostLeftovers, leftovers(prefix).length)
  }

  #found(wrong: string[], when: string): void {
    this.figures.checks++
    this.figures.wrong.push(...wrong.map((one) => `${when}: ${one}`))
  }

  async #slot(user: string, kind: WorkerData['kind']): Promise<void> {
    const { work } = this.#options
    const journal = join(work, 'journals', `${user}.jsonl`)
    const reader = new JournalReader(journal)
    const ledger = this.ledger(user, join(work, 'registries', user, 'root'))
    try {
      while (!this.ended) {
        const worker = this.#spawn({ ...this.#data(user, kind), journal })
        const exit = once(worker.child, 'exit')
        const begun = this.#random() < WHILE_STARTING ? undefined : once(worker.child.stdout!, 'data')
        const life = this.#random() * (kind === 'collector' ? COLLECTOR_LIFE_MS : LIFE_MS)
        await Promise.race([exit, begun?.then(() => delay(life)) ?? delay(life / 10)])
        // Stopped before it is killed, what it holds only by living can be looked at.
        if (this.#random() < 0.5 && (await stop(worker.child))) {
          ledger.take(reader.read())
          this.#found(ledger.check(), `at kill ${this.total}, while it was stopped`)
        }
        worker.child.kill('SIGKILL')
        const [status] = await exit
        if (status !== null) this.#found([`a worker ended by itself: ${worker.said()}`], user)
        ledger.take(reader.read())
        ledger.killed()
        this.killed(kind, ledger)
      }
    } finally {
      reader.close()
    }
  }

  #data(user: string, kind: WorkerData['kind']): Omit<WorkerData, 'journal'> {
    const { prefix, work, product, trees, programs } = this.#options
    const seed = Math.floor(this.#random() * 2 ** 31)
    return { library: product.library, prefix, work, user, seed, kind, trees, programs }
  }

  #spawn(data: WorkerData): { child: ChildProcess; said(): string } {
    const pick = pickerOf(this.#random)
    const points = data.kind === 'load' ? CHANGE_STEPS : STOP_POINTS
    const point = `${data.kind === 'load' ? 'profile' : 'gc'}:${pick<string>(points)}`
    const atPoint = this.#random() < AT_POINT
    const { env: common, collectorEnv } = this.#options
    const own = data.kind === 'collector' ? collectorEnv : {}
    const env = { ...common, ...own, ...(atPoint && { PKG_TEST_KILL_AT: point }) }
    const child = spawn(process.execPath, [this.#script, JSON.stringify(data)], {
      env,
      cwd: this.#options.work,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let text = ''
    child.stderr.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
    })
    return { child, said: () => text }
  }

  #count(ledger: Ledger): void {
    for (const kind of ['done', 'refused'] as const) {
      for (const [name, count] of Object.entries(ledger[kind])) {
        this.figures[kind][name] = (this.figures[kind][name] ?? 0) + count
      }
    }
    this.figures.collectedBlocks += ledger.collectedBlocks
  }
}

/** Stops a process, and waits until all of its threads are; false when it is dead already. */
async function stop(child: ChildProcess): Promise<boolean> {
  if (child.exitCode !== null || child.signalCode !== null) return false
  child.kill('SIGSTOP')
  for (;;) {
    const state = stateOf(child.pid!)
    if (state === 'T') return true
    if (state === undefined || state === 'Z') return false
    await delay(1)
  }
}

/** proc_pid_stat(5): the letter behind the name in brackets. */
function stateOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.[0]
  } catch {
    return undefined
  }
}

/** Kills the process that a pid file names; false when there is none. */
export function killByPidFile(file: string): boolean {
  if (!existsSync(file)) return false
  try {
    process.kill(Number(readFileSync(file, 'latin1').split('\n')[0]), 'SIGKILL')
    return true
  } catch {
    // It is dead already, and its file a leftover.
    return false
  }
}
