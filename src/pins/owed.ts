// Of all roots those whose DAGs have to be whole: where blocks of them lack, something was lost.

import type { Store } from '../store/store.ts'
import type { Root } from './root.ts'

/**
 * Without what is being added, which need not have come yet, and what a process holds that is not here: anybody may
 * name anything in an environment, and of a mount that was taken away nobody can tell whose it was. One that was
 * found damaged was here.
 */
export function owedRoots({ blocks }: Pick<Store, 'blocks'>, roots: readonly Root[]): Root[] {
  return roots.filter(({ kind, cid }) => {
    if (kind === 'temp') return false
    return kind !== 'process' || blocks.has(cid) || blocks.isQuarantined(cid)
  })
}
