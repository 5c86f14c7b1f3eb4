// The progress of what walks the store and lists its blocks, a bar a step.

import type { CollectionProgress } from '../../collector/options.ts'
import type { Context } from '../context.ts'
import type { Task } from './progress.ts'

type Labels = Partial<Record<CollectionProgress['step'], string>>

const LABELS = { mark: 'Marking', list: 'Listing', sweep: 'Deleting' }

export type StepsReporter = {
  /** for `onProgress` */
  update(progress: CollectionProgress): void
  /** what was told last, of each step */
  last(step: CollectionProgress['step']): CollectionProgress | undefined
  end(): void
}

export function stepsProgress({ progress }: Pick<Context, 'progress'>, labels: Labels = {}): StepsReporter {
  const tasks = new Map<string, Task>()
  const told = new Map<string, CollectionProgress>()
  return {
    update(now) {
      const { step, blocks, total } = now
      for (const [other, task] of tasks) if (other !== step) task.end()
      const task = tasks.get(step) ?? progress.task(labels[step] ?? LABELS[step], 'items')
      tasks.set(step, task)
      told.set(step, now)
      task.update({ done: blocks, total })
    },
    last: (step) => told.get(step),
    end() {
      for (const task of tasks.values()) task.end()
    },
  }
}
