// The progress that library calls report, as bars. One function a kind of work.

import type { Context } from './context.ts'
import type { Task } from './progress.ts'

/** A task that a library call can report to, made for `onProgress`. */
type Reporter<P> = { update(progress: P): void; end(): void }

type Progressing = Pick<Context, 'progress'>

/** Figures that only count up: nobody knows the total before the end. */
type Counting = { bytes: number; files?: number; blocks?: number; totalBytes?: number; path?: string }

function report<P>(task: Task, step: (progress: P) => Parameters<Task['update']>[0]): Reporter<P> {
  return { update: (progress) => task.update(step(progress)), end: () => task.end() }
}

/** Bytes, of a total where there is one. */
export function bytesProgress({ progress }: Progressing, label: string): Reporter<Counting> {
  return report(progress.task(label), ({ bytes, totalBytes, path }) => ({
    done: bytes,
    total: totalBytes,
    detail: path,
  }))
}
