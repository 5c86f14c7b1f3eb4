// Which directory below `blocks/` a block's file lies in.
// The two characters before the last one of its name, as Kubo's flatfs does
// ("next-to-last/2"): they are evenly spread, where the last one holds spare bits.

import { join } from 'node:path'
import type { ShardingStrategy } from 'blockstore-fs/sharding'
import { PkgError } from '../../errors.ts'
import { ensurePrefixEntry } from '../../files/modes.ts'
import { blockName, type CID, cidOfBlockName } from '../cid.ts'

/** RFC 4648's base32 in lower case, as in multibase `b`. */
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'

/** All 1,024 directories' names, sorted. */
export function shardNames(): string[] {
  const letters = [...BASE32].sort()
  return letters.flatMap((a) => letters.map((b) => a + b))
}

/** Makes the directories once, so that no write has to ask for its own (1,024 mkdir take about 50 ms). */
export function makeShards(blocks: string): void {
  for (const name of shardNames()) ensurePrefixEntry(join(blocks, name))
}

/** The file of a block, below `blocks`. */
export function blockFile(blocks: string, cid: CID): string {
  const name = blockName(cid)
  return `${blocks}/${name.slice(-3, -1)}/${name}`
}

/** The same layout for blockstore-fs. */
export const nextToLastTwo: ShardingStrategy = {
  extension: '',
  encode(cid) {
    const file = blockName(cid)
    return { dir: file.slice(-3, -1), file }
  },
  decode(path) {
    const cid = cidOfBlockName(path.slice(path.lastIndexOf('/') + 1))
    if (cid) return cid
    throw new PkgError('BAD_NAME', `${path} is not the file of a block`)
  },
}
