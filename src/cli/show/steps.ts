// The progress that library calls report, shown as a bar.

import type { Context } from '../context.ts'

/** Figures that a library call reports; the total once it is known. */
export type ByteProgress = { bytes: number; totalBytes?: number }

export type Reporter = {
  /** for `onProgress` */
  update(progress: ByteProgress): void
  end(): void
}

export function bytesProgress({ progress }: Pick<Context, 'progress'>, label: string): Reporter {
  const task = progress.task(label)
  return {
    update: ({ bytes, totalBytes }) => task.update({ done: bytes, total: totalBytes }),
    end: task.end,
  }
}
