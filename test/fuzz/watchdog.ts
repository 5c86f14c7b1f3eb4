// A thread that watches the fuzzer's own: an input that never ends cannot be
// stopped from inside. It leaves the input in a file and ends the process.

import { writeFileSync } from 'node:fs'
import { isMainThread, Worker, workerData } from 'node:worker_threads'

/** Milliseconds after which an input is said to hang. */
const HANG_MS = 20_000
const MAX_INPUT = 64 * 1024

type Shared = { state: Int32Array; input: Uint8Array; file: string }

/** Gives a function to be called with each input before it runs. A hang leaves the input in `file`, and SIGKILL ends us. */
export function startWatchdog(file: string): (input: Uint8Array) => void {
  const shared: Shared = {
    state: new Int32Array(new SharedArrayBuffer(8)),
    input: new Uint8Array(new SharedArrayBuffer(MAX_INPUT)),
    file,
  }
  new Worker(new URL(import.meta.url), { workerData: shared }).unref()
  return (input) => {
    shared.input.set(input.subarray(0, MAX_INPUT))
    Atomics.store(shared.state, 1, Math.min(input.length, MAX_INPUT))
    Atomics.add(shared.state, 0, 1)
  }
}

if (!isMainThread && workerData?.state !== undefined) watch(workerData as Shared)

function watch({ state, input, file }: Shared): void {
  let last = -1
  setInterval(() => {
    const count = Atomics.load(state, 0)
    if (count !== last) {
      last = count
      return
    }
    if (count === 0) return
    writeFileSync(file, input.slice(0, Atomics.load(state, 1)))
    process.kill(process.pid, 'SIGKILL')
  }, HANG_MS)
}
