// The start of a program from the mount against the same program on the file
// system below, both warm: `node -e 0`, with Node's own binary as the package.

import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { inTurns, outputOf, timeOf } from './measure.ts'
import { prefixInUse } from './prefix-in-use.ts'
import { launcher } from './product.ts'
import type { Row } from './table.ts'
import type { Work } from './work.ts'

const LIMIT = 1.05
const ROUNDS = 41

export async function benchStart(work: Work): Promise<Row[]> {
  const prefix = prefixInUse(work)
  if (prefix === undefined) return []
  const below = work.fresh('node')
  mkdirSync(join(below, 'bin'))
  cpSync(process.execPath, join(below, 'bin/node'))
  const cid = outputOf([launcher(work), 'store', 'add', below, '--quiet'], prefix).trim()
  const start = (place: string) => timeOf([join(place, 'bin/node'), '-e', '0'])
  const ours = join(prefix.store, cid)
  for (const place of [below, ours]) start(place)
  return [
    {
      title: 'start of node -e 0',
      ...(await inTurns(ROUNDS, { ours: () => start(ours), reference: () => start(below) })),
      against: 'ext4',
      limit: LIMIT,
    },
  ]
}
