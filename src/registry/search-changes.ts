// The rows that a search index needs of a registry, by the difference to the root
// that it holds. What cannot be read is passed over and told of: one lost block must
// not hide all the rest.

import { hasCode, type PkgError } from '../errors.ts'
import { currentPlatform } from '../packages/platform.ts'
import type { BlockGetter } from '../store/blocks/blocks.ts'
import type { CID } from '../store/cid.ts'
import { diffRoots } from './diff.ts'
import { chooseBuild, newestVersion } from './newest.ts'
import { isDamage, readRecordAt } from './tree.ts'

/** What is known of a package: of its newest version, and of the build that runs here, where there is one. */
export type Row = {
  name: string
  description: string
  /** their names, with slashes between them */
  programs: string
  version: string
  size: number
}

/** Rows to set, undefined for those to take out; `all`: nothing else stays; `damage`: what could not be read. */
export type Changes = { rows: Map<string, Row | undefined>; all: boolean; damage?: PkgError | undefined }

/** What makes an index that holds the registry `before` hold `root`; all that can be read where nothing is held. */
export function readChanges(getter: BlockGetter, before: CID | undefined, root: CID): Changes {
  if (before !== undefined) {
    try {
      return { rows: readRows(getter, before, root), all: false }
    } catch (error) {
      // The old root is pinned by nobody any more: a collector may have taken it.
      if (!isDamage(error)) throw error
    }
  }
  let damage: PkgError | undefined
  const onDamage = (error: PkgError) => {
    damage ??= error
  }
  const rows = readRows(getter, undefined, root, onDamage)
  return { rows, all: damage === undefined, damage }
}

function readRows(
  getter: BlockGetter,
  before: CID | undefined,
  root: CID,
  onDamage?: (error: PkgError) => void,
): Map<string, Row | undefined> {
  const rows = new Map<string, Row | undefined>()
  const tolerate = (read: () => void) => {
    try {
      read()
    } catch (error) {
      if (!onDamage || !isDamage(error)) throw error
      onDamage(error)
    }
  }
  tolerate(() => {
    for (const { name, after } of diffRoots(getter, before, root, { onDamage })) {
      tolerate(() => rows.set(name, after && readRow(getter, after, name)))
    }
  })
  return rows
}

function readRow(getter: BlockGetter, record: CID, name: string): Row | undefined {
  try {
    const { description, versions } = readRecordAt(getter, record, name)
    const newest = newestVersion(versions)
    const platforms = versions.find(({ version }) => version === newest)?.platforms ?? []
    const build = chooseBuild(platforms, currentPlatform()) ?? platforms[0]
    const { programs = [], size = 0 } = build ?? {}
    return { name, description, programs: programs.join('/'), version: newest ?? '', size }
  } catch (error) {
    // One bad record must not hide all the others.
    if (hasCode(error, 'BAD_REGISTRY', 'UNSUPPORTED', 'BAD_NODE', 'NOT_UNIXFS', 'NOT_FILE')) return undefined
    throw error
  }
}
