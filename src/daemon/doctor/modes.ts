// Are the directories of a prefix open to those who need them, and to nobody
// else? Whoever may write `blocks/` cannot change what a CID means, but whoever
// may write `pins/` or `profiles/` decides what other users run.

import { type Stats, statSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno } from '../../errors.ts'
import type { Check } from '../../mount/requirements.ts'
import { type PrefixPaths, shellWord } from '../../paths.ts'
import { shardNames } from '../../store/blocks/shards.ts'

const WRITE_BY_OTHERS = 0o022
const READ_BY_OTHERS = 0o055

/** Looks at all directories that every prefix has; one that is not there is another check's business. */
export function modesCheck(paths: PrefixPaths): Check {
  const name = 'modes'
  const found = directoriesOf(paths).flatMap((path) => {
    const stats = look(path)
    return stats ? [{ path, stats }] : []
  })
  const open = found.filter(({ stats }) => stats.mode & WRITE_BY_OTHERS)
  if (open.length > 0) {
    return {
      name,
      ok: false,
      detail: `others than the owner may write ${named(open)}`,
      hint: `chmod go-w ${words(open, paths)}`,
    }
  }
  // A prefix of one user's own is nobody else's to read.
  const closed = found.filter(
    ({ stats }) => stats.uid === 0 && (stats.mode & READ_BY_OTHERS) !== READ_BY_OTHERS,
  )
  if (closed.length > 0) {
    return {
      name,
      ok: 'note',
      detail: `other users may not read ${named(closed)}`,
      hint: `chmod go+rx ${words(closed, paths)}`,
    }
  }
  return { name, ok: true, detail: `nobody but the owner may write ${paths.root}` }
}

type Found = { path: string; stats: Stats }

/** The mount point is left out: what is mounted there would be asked. */
function directoriesOf(paths: PrefixPaths): string[] {
  const { root, blocks, blocksTemp, pins, tempPins, pinsPerUser, profilesPerUser, quarantine } = paths
  const shards = shardNames().map((shard) => join(blocks, shard))
  const profiles = join(profilesPerUser, '..')
  return [
    root,
    pins,
    pinsPerUser,
    tempPins,
    profiles,
    profilesPerUser,
    paths.var,
    quarantine,
    blocks,
    blocksTemp,
    ...shards,
  ]
}

function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    if (isErrno(error, 'EACCES', 'ENOTDIR')) return undefined
    throw error
  }
}

function named([first, ...more]: readonly Found[]): string {
  return `${first?.path}${more.length > 0 ? ` and ${more.length} more directories` : ''}`
}

/** Shards are too many to name. */
function words(found: readonly Found[], { blocks }: Pick<PrefixPaths, 'blocks'>): string {
  const isShard = ({ path }: Found) =>
    /^[a-z2-7]{2}$/.test(path.slice(blocks.length + 1)) && path.startsWith(`${blocks}/`)
  const others = found.filter((one) => !isShard(one)).map(({ path }) => shellWord(path))
  return [...others, ...(found.some(isShard) ? [`${shellWord(blocks)}/??`] : [])].join(' ')
}
