// `npm run bench [section…]`: what is promised about speed and memory, measured,
// as one table of ratios; every row's figures were taken in turns in this run.
// Whatever the workloads make is gone afterwards, also when one fails.
//
//   npm run bench -- import commands     only these sections
//   npm run bench -- --peers             as root: installs the peers of Debian that are missing
//   npm run bench -- --in DIR            works in DIR, on whatever file system that is [$TMPDIR]

import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { benchCollect } from './collect.ts'
import { benchCommands } from './commands.ts'
import { benchImport } from './import.ts'
import { benchMemory } from './memory.ts'
import { benchMount } from './mount.ts'
import { installPeers, missingPeers } from './peers.ts'
import { buildProduct } from './product.ts'
import { benchStart } from './start.ts'
import { type Row, table } from './table.ts'
import { openWork, type Work } from './work.ts'

const SECTIONS: Record<string, (work: Work) => Promise<Row[]>> = {
  import: benchImport,
  mount: benchMount,
  start: benchStart,
  commands: benchCommands,
  memory: benchMemory,
  collect: benchCollect,
}

const { values, positionals } = parseArgs({
  options: { peers: { type: 'boolean', default: false }, in: { type: 'string', default: tmpdir() } },
  allowPositionals: true,
})
const unknown = positionals.find((name) => SECTIONS[name] === undefined)
if (unknown !== undefined) {
  console.error(`bench: there is no section ${unknown}; there are ${Object.keys(SECTIONS).join(', ')}`)
  process.exit(2)
}
if (values.peers) installPeers()
for (const line of missingPeers()) console.log(line)

await using work = openWork(values.in)
buildProduct(work)
const rows: Row[] = []
for (const [name, bench] of Object.entries(SECTIONS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  console.log(`measuring: ${name}`)
  rows.push(...(await bench(work)))
}
console.log(table(rows))
