// The directory that a bench works in, and everything that has to go with it:
// mounts, daemons, trees. It all goes in the end, on failure and on Ctrl-C too.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'

export type Work = AsyncDisposable & {
  readonly directory: string
  /** A directory of this name below, made when it is not there. */
  folder(name: string): string
  /** A new directory, empty. */
  fresh(prefix: string): string
  /** Runs at the end, the last one first. */
  defer(undo: () => unknown): void
}

export function openWork(parent: string): Work {
  const directory = mkdtempSync(join(parent, 'pkg-bench-'))
  const undos: (() => unknown)[] = []
  let closing: Promise<void> | undefined
  const close = async () => {
    for (const undo of undos.reverse()) {
      try {
        await undo()
      } catch (error) {
        console.error('bench: clean-up:', error)
      }
    }
    rmSync(directory, { recursive: true, force: true })
  }
  const once = () => (closing ??= close())
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void once().then(() => process.exit(128 + constants.signals[signal])))
  }
  return {
    directory,
    folder(name) {
      mkdirSync(join(directory, name), { recursive: true })
      return join(directory, name)
    },
    fresh: (prefix) => mkdtempSync(join(directory, `${prefix}-`)),
    defer: (undo) => undos.push(undo),
    [Symbol.asyncDispose]: once,
  }
}
