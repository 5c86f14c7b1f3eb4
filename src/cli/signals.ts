// Ctrl-C and its kin. The first signal aborts the command's AbortSignal, so that
// it ends in order; a second one, or a command that does not end in time, ends
// the process where it is. That is safe at any instant: see invariants 2 to 4.

import { constants } from 'node:os'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Milliseconds that a command has to end after the first signal: longer feels like a hang. */
const PATIENCE_MS = 3_000

export type Signals = {
  signal: AbortSignal
  /** 128 + the number of the signal that came, as shells have it; undefined while none did */
  exitStatus(): number | undefined
  /** Gives the signals back to their default actions: for a command that hands the terminal to a program. */
  release(): void
}

export function watchSignals(): Signals {
  const controller = new AbortController()
  let status: number | undefined
  const onSignal = (name: NodeJS.Signals) => {
    if (status !== undefined) process.exit(status)
    status = 128 + constants.signals[name]
    controller.abort()
    setTimeout(() => process.exit(status), PATIENCE_MS).unref()
  }
  for (const name of SIGNALS) process.on(name, onSignal)
  return {
    signal: controller.signal,
    exitStatus: () => status,
    release: () => {
      for (const name of SIGNALS) process.off(name, onSignal)
    },
  }
}
