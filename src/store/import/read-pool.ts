// Worker threads that read files: batches go out, results come back in any order.
// A thread that fails does not stop the others; who owns the pool decides.

import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { entryPoint } from '../../entry.ts'
import { PkgError } from '../../errors.ts'
import type { AddSession } from '../add/add.ts'
import { TempPin } from '../add/temp-pin.ts'
import { unpackResults, type WorkerAnswer, type WorkerData } from './messages.ts'
import type { Figures } from './outbox.ts'
import type { ReadResult, ReadTask } from './read.ts'

/** More threads than this wait for the disk or for each other, and each takes some 30 MiB. */
const MAX_THREADS = 4

/** Batches that a worker has at once: one in work, one waiting, so that it never waits for us. */
const BATCHES_AHEAD = 2

/**
 * A worker's heap holds paths and CIDs of two batches; V8 would let it grow without
 * need. A smaller young generation costs a tenth of the time in collections.
 */
const HEAP_LIMITS_MB = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 16 }

type Handlers = {
  onResults(batch: Batch, results: readonly ReadResult[], figures: Figures): void
  onError(error: unknown): void
}

type Batch = readonly ReadTask[]

type Member = { worker: Worker; batches: Batch[] }

/** Threads that are worth starting here, beside the one that asks and reads too; 0 where there is one processor. */
export function usefulWorkers(): number {
  return Math.min(availableParallelism(), MAX_THREADS) - 1
}

export class ReadPool {
  readonly #members: Member[] = []
  readonly #handlers: Handlers

  /** Starts the threads; each writes under a temp pin of its own, which ends with the session. */
  constructor(add: AddSession, size: number, handlers: Handlers) {
    this.#handlers = handlers
    for (let index = 0; index < size; index++) this.#members.push(this.#start(add))
  }

  /** True when some thread can take another batch. */
  get hasRoom(): boolean {
    return this.#members.some(({ batches }) => batches.length < BATCHES_AHEAD)
  }

  /** True when no batch is out. */
  get idle(): boolean {
    return this.#members.every(({ batches }) => batches.length === 0)
  }

  /** Gives a batch to the thread with the least to do. */
  send(batch: Batch): void {
    const member = this.#members.reduce((least, other) =>
      other.batches.length < least.batches.length ? other : least,
    )
    member.batches.push(batch)
    member.worker.postMessage(batch.map((task) => (task.span ? task : task.path)))
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#members.map(({ worker }) => {
        worker.removeAllListeners()
        return worker.terminate()
      }),
    )
  }

  #start(add: AddSession): Member {
    const tempPin = new TempPin(add.places)
    add.joined(() => tempPin.close())
    const {
      blocks,
      blocksTemp,
      quarantine,
      pinsLock,
      collector,
      tempPins,
      lateShards = false,
      elsewhere,
    } = add.places
    const data: WorkerData = {
      paths: { blocks, blocksTemp, quarantine, pinsLock, collector, tempPins, lateShards, elsewhere },
      tempPin: tempPin.file,
    }
    const worker = new Worker(entryPoint('import-worker'), {
      workerData: data,
      resourceLimits: HEAP_LIMITS_MB,
    })
    const member: Member = { worker, batches: [] }
    worker.on('message', (answer: WorkerAnswer) => this.#receive(member, answer))
    worker.on('error', (cause) => this.#lose(member, cause))
    worker.on('exit', (status) => this.#lose(member, `it ended with status ${status}`))
    return member
  }

  #receive(member: Member, answer: WorkerAnswer): void {
    const batch = member.batches.shift() ?? []
    if ('results' in answer) this.#handlers.onResults(batch, unpackResults(answer.results), answer.figures)
    else
      this.#handlers.onError(
        new PkgError(answer.error.code, answer.error.message, { hint: answer.error.hint }),
      )
  }

  /** A thread that is gone: nothing that it was given will come back. */
  #lose(member: Member, cause: unknown): void {
    member.batches.length = 0
    this.#handlers.onError(new PkgError('INTERNAL', 'a thread of the import failed', { cause }))
  }
}
