// What `pkg store verify` says of lost blocks: what they belong to, how many, and what to do.

import type { PrefixPaths } from '../../paths.ts'
import type { Loss } from '../../profiles/lost-blocks.ts'
import { blockName } from '../../store/cid.ts'
import { count, formatBytes, printable, type Style } from './output.ts'

export type NamedLoss = Omit<Loss, 'neededBy'> & { neededBy: string[] }

/** `incomplete esbuild 0.25.0: 2 blocks missing, first …; needed by …` */
export function renderLoss(
  { kind, name, version, cid, lost, neededBy }: NamedLoss,
  style: Style,
  dryRun: boolean,
): string {
  const title =
    kind === 'package' ? `${name} ${version}` : kind === 'environment' ? `environment ${cid}` : `${cid}`
  const how = dryRun ? 'missing or damaged' : 'missing'
  const blocks = `${count(lost.length, 'block')} ${how}, first ${lost[0]}`
  const need = printable(neededBy.join(', '))
  return `${style.red('incomplete')} ${style.bold(printable(title))}: ${blocks}; needed by ${need}`
}

type Summed = {
  ok: boolean
  dryRun: boolean
  healed?: { blocks: number }
  blocks: number
  bytes: number
  corrupt: unknown[]
} & {
  losses: readonly NamedLoss[]
  incompleteRoots: unknown[]
}

/** The last line. */
export function summarize(
  { ok, dryRun, healed, blocks, bytes, corrupt, losses, incompleteRoots }: Summed,
  style: Style,
): string {
  const all = `${count(blocks, 'block')}, ${formatBytes(bytes)}`
  if (ok) return `${all}: ${style.green('all good')}`
  const lost = new Set(losses.flatMap((loss) => loss.lost.map(blockName))).size
  const found = [
    ...(corrupt.length > 0 ? [`${corrupt.length} damaged`] : []),
    ...(dryRun && healed ? [`${healed.blocks} to be healed`] : []),
    ...(lost > 0 ? [`${lost} lost, ${count(incompleteRoots.length, 'root')} incomplete`] : []),
  ]
  return `${all}: ${style.red(found.join(', ') || 'checkouts are damaged')}`
}

/** What to do about each loss, each once. `stuck`: something could not be put away. */
export async function hintsFor(
  paths: PrefixPaths,
  { losses, stuck }: { losses: readonly NamedLoss[]; stuck: boolean },
): Promise<string[]> {
  const { ENVIRONMENT_HINT, healHint } = await import('../../profiles/damaged.ts')
  const hints = losses.map(({ kind, name = '', requested }) => {
    if (kind === 'environment') return ENVIRONMENT_HINT
    return healHint({ name, requested: requested ?? '' }, requested !== undefined)
  })
  if (stuck) {
    const { requireWriter } = await import('../owner-only.ts')
    await requireWriter(paths, 'healed').catch((error: Error) => hints.unshift(`${error.message}.`))
  }
  return [...new Set(hints)]
}
