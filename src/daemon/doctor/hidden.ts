// For `pkg doctor`: what installed packages hold that no program can see.

import type { Check } from '../../mount/requirements.ts'
import type { PrefixPaths } from '../../paths.ts'
import { openProfile } from '../../profiles/profile.ts'
import { currentPackages } from '../../profiles/read-installed.ts'
import { Blocks } from '../../store/blocks/blocks.ts'
import { hiddenEntries } from '../../store/unixfs/hidden.ts'

/** Nodes that are looked at: about a second's worth. */
const MOST_NODES = 20_000

const NAMED = 3

/** Undefined when nothing is hidden. Never throws for what it looks at. */
export function hiddenCheck(paths: PrefixPaths, { user }: { user?: string } = {}): Check | undefined {
  const blocks = new Blocks(paths)
  const found: string[] = []
  try {
    for (const { name, cid } of currentPackages(openProfile({ paths, blocks }, { user }))?.installed ?? []) {
      const { hidden } = hiddenEntries(blocks, cid, MOST_NODES)
      found.push(...hidden.map(({ path, why }) => `${path} of ${name}: ${why}`))
    }
  } catch {
    // A profile or package that cannot be read is what other checks tell.
  }
  if (found.length === 0) return undefined
  const more = found.length > NAMED ? `; and ${found.length - NAMED} more` : ''
  return {
    name: 'hidden files',
    ok: 'note',
    detail: `what programs cannot see: ${found.slice(0, NAMED).join('; ')}${more}`,
    hint: '`pkg store ls` shows where each lies; ask who made the package for one without.',
  }
}
