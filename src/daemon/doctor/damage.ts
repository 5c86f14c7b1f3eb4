// For `pkg doctor`: blocks that were found damaged and have not come back, and who
// needs them. Looks at the quarantine first: a sound store costs nothing more.

import { EXIT } from '../../errors.ts'
import type { Check } from '../../mount/requirements.ts'
import type { PrefixPaths } from '../../paths.ts'
import { describeRoot } from '../../pins/describe-root.ts'
import { roots } from '../../pins/roots.ts'
import { listQuarantine } from '../../store/blocks/quarantine.ts'
import { type CID, sameBlock } from '../../store/cid.ts'
import { missingBlocks } from '../../store/links/closure.ts'
import { Store } from '../../store/store.ts'

/** So many of them are named. */
const NAMED = 4

/** False when a root has lost a block; a note when what was lost is needed by none. Never throws. */
export async function damageCheck(paths: PrefixPaths): Promise<Check> {
  const name = 'blocks'
  const store = new Store(paths)
  try {
    const lost = listQuarantine(paths).filter(({ cid }) => !store.blocks.has(cid))
    if (lost.length === 0) {
      return { name, ok: true, detail: 'none is known to be damaged (`pkg store verify` looks at all)' }
    }
    const needing = await rootsOf(
      store,
      lost.map(({ cid }) => cid),
    )
    const detail = `${lost.length} found damaged, in ${paths.quarantine}: ${
      needing.length === 0 ? 'nothing needs them' : `needed by ${list(needing)}`
    }`
    const hint =
      'Add or install the content again, or: pkg store verify --repair --from <CAR, directory or prefix>'
    return needing.length === 0
      ? { name, ok: 'note', detail }
      : { name, ok: false, exit: EXIT.damaged, detail, hint }
  } catch (error) {
    return { name, ok: 'note', detail: `cannot be looked at: ${(error as Error).message}` }
  } finally {
    store.close()
  }
}

async function rootsOf(store: Store, lost: readonly CID[]): Promise<string[]> {
  const all = await roots(store)
  const needs = new Map<string, boolean>()
  for (const { cid } of all) {
    const key = String(cid)
    if (!needs.has(key))
      needs.set(
        key,
        missingBlocks(store, cid).some((one) => lost.some((bad) => sameBlock(one, bad))),
      )
  }
  return [...new Set(all.filter(({ cid }) => needs.get(String(cid))).map(describeRoot))]
}

function list(names: readonly string[]): string {
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : ''
  return `${names.slice(0, NAMED).join(', ')}${more}`
}
