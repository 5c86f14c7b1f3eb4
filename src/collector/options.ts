// What a collection is told, and what it tells while it runs.

import type { Root } from '../pins/root.ts'
import type { AtPoint } from '../pins/stop-point.ts'
import type { GroupOptions } from './dead-groups.ts'
import type { Generation } from './retention.ts'

/** The steps of a collection, as they are reported; `total` is there where it is known. */
export type CollectionProgress = {
  step: 'mark' | 'list' | 'sweep'
  blocks: number
  bytes?: number
  total?: number
}

export type PlanOptions = {
  signal?: AbortSignal | undefined
  onProgress?: ((progress: CollectionProgress) => void) | undefined
  at?: AtPoint | undefined
  /** stop once so many bytes are freed on the disk: less than one block more may go; 0: nothing goes, generations neither */
  maxFreedBytes?: number | undefined
  /** delete no more than it takes for so many bytes to be free on the file system; nothing at all when they are */
  ensureFreeBytes?: number | undefined
  /** blocks without a root whose files are younger stay, with all they lead to, in ms; else the setting gc.graceSeconds */
  graceMs?: number | undefined
  /** of whose generations a policy speaks, for a plan; all of them when absent */
  policyUser?: string | undefined
  /** what dead DAGs were called (dead-groups.ts) */
  nameDead?: GroupOptions['nameDead']
}

/** `leaveOut` gives the paths of roots that shall not count. */
export type SurveyOptions = PlanOptions & {
  leaveOut?: ((roots: readonly Root[]) => ReadonlySet<string>) | undefined
}

export type CollectionOptions = PlanOptions & {
  /** look only */
  dryRun?: boolean | undefined
  /** delete also where a root reaches a damaged node, and with it what only that one led to */
  despiteDamage?: boolean | undefined
  /** how long to wait for another collection to end, in ms */
  waitMs?: number | undefined
  /** told of each old generation when its link is gone: also by a collection that fails after that */
  onGeneration?: ((generation: Generation) => void) | undefined
}
