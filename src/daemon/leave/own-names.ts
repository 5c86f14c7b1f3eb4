// Which names in a prefix are ours. A prefix may be made in a directory that has a `var`, a `store` or a `blocks`
// already, with somebody's own files in them: those stay when it goes.

import { lstatSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { namesIn } from '../../files/directory.ts'
import type { PrefixPaths } from '../../paths.ts'
import { UNFINISHED } from '../../pins/names.ts'
import { shardNames } from '../../store/blocks/shards.ts'
import { cidOfCheckout } from '../../store/checkout/names.ts'
import { cidOfBlockName } from '../../store/cid.ts'

/** A lock, what one is made of, and what a kill leaves of it (files/lock-directory.ts). */
const LOCKS = /^(?:daemon|mount\.pid|checkout-links|recheck)\.lock(?:\.|$)/

const IN_VAR = [
  /^(?:index|search)\.db(?:-wal|-shm|-journal)?$/,
  /^(?:daemon|mount)\.(?:pid|sock)$/,
  /^pkg\.log(?:\.1)?$/,
  /^spare-\d+$/,
  /^(?:quarantine|users|checkout-links|last-collection\.json)$/,
  LOCKS,
]

type IsOwn = (name: string) => boolean

/** Whether a name is ours, by the directories of a prefix that may hold others; `shard` stands for each of a block's. */
function rules(paths: PrefixPaths): { places: Map<string, IsOwn>; shard: IsOwn } {
  const shards = new Set(shardNames())
  const places = new Map<string, IsOwn>([
    [dirname(paths.profilesPerUser), (name) => name === basename(paths.profilesPerUser)],
    [paths.pins, (name) => /^(?:temp|per-user|lock\.lock.*|collector\..*)$/.test(name)],
    [paths.store, (name) => cidOfCheckout(name) !== undefined || /^\.(?:files$|dead-)/.test(name)],
    [paths.var, (name) => IN_VAR.some((pattern) => pattern.test(name))],
    [paths.blocks, (name) => shards.has(name) || name === '.tmp' || name === '.stable'],
  ])
  return { places, shard: (name) => cidOfBlockName(name) !== undefined }
}

/** What lies in the directories of a prefix and is not ours, as physical paths. Links are not followed, nor is a mount looked at. */
export function foreignEntries(paths: PrefixPaths, { mounted }: { mounted: boolean }): string[] {
  const { places, shard } = rules(paths)
  const found: string[] = []
  const look = (directory: string, isOwn: IsOwn) => {
    if (!isDirectory(directory)) return
    for (const name of namesIn(directory)) {
      const path = join(directory, name)
      if (!name.startsWith(UNFINISHED) && !isOwn(name)) found.push(path)
      else if (directory === paths.blocks && name !== basename(paths.blocksTemp)) look(path, shard)
    }
  }
  for (const [directory, isOwn] of places) if (directory !== paths.store || !mounted) look(directory, isOwn)
  return found
}

function isDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
