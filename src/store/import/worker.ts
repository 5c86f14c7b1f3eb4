// A worker thread of an import: reads, hashes and writes what it is given, batch
// after batch, and answers with the leaves' CIDs once their blocks are written.
// It writes under a temp pin that the thread which started it made and will end.

import { parentPort, workerData } from 'node:worker_threads'
import { codeOf, PkgError } from '../../errors.ts'
import { TempPin } from '../add/temp-pin.ts'
import { BlockWriter } from '../add/writer.ts'
import { packResults, type WorkerAnswer, type WorkerBatch, type WorkerData } from './messages.ts'
import { Outbox } from './outbox.ts'
import { type ReadResult, readSource } from './read.ts'

const { paths, tempPin } = workerData as WorkerData
const outbox = new Outbox({ writer: new BlockWriter(paths, new TempPin(paths, tempPin)) })

/** Batches are worked on one after the other, though the next may have arrived already. */
let last: Promise<void> = Promise.resolve()

parentPort?.on('message', (batch: WorkerBatch) => {
  last = last.then(async () => parentPort?.postMessage(await work(batch)))
})

async function work(batch: WorkerBatch): Promise<WorkerAnswer> {
  try {
    const results: ReadResult[] = []
    for (const task of batch) {
      results.push(await readSource(typeof task === 'string' ? { path: task } : task, outbox))
    }
    await outbox.flush()
    return { results: packResults(results), figures: outbox.takeFigures() }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return {
      error: { code: codeOf(error), message, hint: error instanceof PkgError ? error.hint : undefined },
    }
  }
}
