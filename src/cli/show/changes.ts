// What a change of the profile did, as a record and in words: shared by install,
// remove, upgrade, rollback, switch and diff.

import type { Change } from '../../profiles/compare.ts'
import type { Store } from '../../store/store.ts'
import { formatBytes, printable, type Style, table } from './output.ts'

/** A change with the size of the package that it adds or takes away. */
export type SizedChange = Change & { size?: number }

/** Adds each package's size, by the index where that is open. A package that cannot be read has none. */
export async function withSizes(
  changes: readonly Change[],
  store: Store | Pick<Store, 'blocks'>,
): Promise<SizedChange[]> {
  const { closureSize, linksOfBlocks } = await import('../../store/links/closure.ts')
  const links = 'packedChildren' in store ? store : linksOfBlocks(store.blocks)
  return changes.map((change) => {
    const cid = (change.after ?? change.before)?.cid
    try {
      return cid !== undefined && store.blocks.has(cid)
        ? { ...change, size: closureSize(links, cid).bytes }
        : change
    } catch {
      // A size is a nicety: the damage will be told by what needs the blocks.
      return change
    }
  })
}

/** One line a change: what happened, the package, its versions, its size. */
export function renderChanges(changes: readonly SizedChange[], style: Style): string {
  const colours = {
    added: style.green,
    removed: style.red,
    upgraded: style.green,
    downgraded: style.yellow,
    changed: style.yellow,
  }
  const rows = changes.map(({ kind, name, before, after, size }) => [
    `  ${colours[kind](kind)}`,
    style.bold(name),
    [versions(before?.version, after?.version), style.dim(differences({ kind, before, after }))]
      .filter((part) => part !== '')
      .join(' '),
    size === undefined ? '' : formatBytes(size),
  ])
  return table([], rows, { style, right: [3] })
}

/** `added esbuild 0.25.0, removed jq 1.6.0`, for a list of generations. */
export function summarize(changes: readonly Change[]): string {
  return changes
    .map(({ kind, name, before, after }) =>
      `${kind} ${name} ${versions(before?.version, after?.version)} ${differences({ kind, before, after })}`.trimEnd(),
    )
    .join(', ')
}

/** What differs where the version does not: `(priority 1, new content)`. */
function differences({ kind, before, after }: Pick<Change, 'kind' | 'before' | 'after'>): string {
  if (kind !== 'changed' || before === undefined || after === undefined) return ''
  const parts = [
    before.cid.equals(after.cid) ? '' : 'new content',
    before.priority === after.priority ? '' : `priority ${after.priority}`,
    before.requested === after.requested ? '' : `asked for as ${printable(after.requested)}`,
    before.registry === after.registry ? '' : `from ${printable(after.registry ?? 'no registry')}`,
    before.onlyFrom === after.onlyFrom ? '' : `from ${after.onlyFrom ? 'that' : 'any'} registry`,
  ]
  return `(${parts.filter((part) => part !== '').join(', ') || 'other signer'})`
}

function versions(before: string | undefined, after: string | undefined): string {
  if (before === undefined || after === undefined || before === after) return after ?? before ?? ''
  return `${before} -> ${after}`
}

export type Moved = {
  changed: boolean
  generation: number | undefined
  previous: number | undefined
  changes: readonly SizedChange[]
  dryRun?: boolean
}

/** Install, remove and upgrade make generations; rollback and switch go to one that is there. */
type MoveOptions = { goes?: boolean }

/** The generation and what changed: `Generation 3 (was 2)`, then a line a change. */
export function renderMove(
  { changed, generation, previous, changes, dryRun }: Moved,
  style: Style,
  { goes = false }: MoveOptions = {},
): string {
  if (!changed) {
    return generation === undefined ? 'Nothing to do' : `Nothing to do: generation ${generation} is current`
  }
  const was = previous === undefined ? '' : style.dim(` (${dryRun ? 'now' : 'was'} ${previous})`)
  const would = goes ? 'Would go to' : 'Would make'
  const head = `${dryRun ? would : 'Now at'} generation ${style.bold(String(generation))}${was}`
  return changes.length === 0 ? head : `${head}\n${renderChanges(changes, style)}`
}
