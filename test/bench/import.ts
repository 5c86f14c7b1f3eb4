// Import against its limit, a bare loop that hashes every chunk and writes it to
// a file, on the same tree; and `pkg store add` as a whole against the peers.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type ImportPeer, importPeers } from './import-peers.ts'
import { inPairs, median, outputOf, settle, timeOf } from './measure.ts'
import { bundled, launcher } from './product.ts'
import type { Row } from './table.ts'
import { type TreeName, tree } from './trees.ts'
import type { Work } from './work.ts'

/** At least 0.6 of the bare loop's speed. */
const LIMIT = 1 / 0.6
const ROUNDS = 7
const COMMAND_ROUNDS = 3

/** As src/cli/pkg starts Node. */
const LAUNCHER_FLAGS = ['--max-semi-space-size=16']

const WORKLOADS: { name: TreeName; title: string }[] = [
  { name: 'large', title: 'one file of 512 MiB' },
  { name: 'small', title: '20,000 files of 4 KiB' },
]

export async function benchImport(work: Work): Promise<Row[]> {
  const rows: Row[] = []
  for (const { name, title } of WORKLOADS) {
    const source = tree(work, name)
    rows.push({
      title: `import of ${title}`,
      ...(await inPairs(
        ROUNDS,
        () => sample(work, 'ours', source),
        () => sample(work, 'bare', source),
      )),
      against: 'bare loop',
      limit: LIMIT,
    })
    const peers = importPeers(work)
    rows.push({
      title: `pkg store add of ${title}, flushed`,
      ...(await inPairs(
        COMMAND_ROUNDS,
        () => command(work, source),
        () => sample(work, 'bare', source, 'flush'),
      )),
      against: 'bare loop + sync',
      peers: Object.fromEntries(peers.map((peer) => [peer.name, measurePeer(work, peer, source)])),
      ahead: peers.filter(({ promised }) => promised).map(({ name }) => name),
    })
  }
  return rows
}

/** A process of its own, which times what it does between its start and its end. */
function sample(work: Work, kind: 'ours' | 'bare', source: string, flush = ''): number {
  return inFresh(work, kind, (to) => {
    const child = join(import.meta.dirname, 'import-sample.ts')
    const product = bundled(work, 'index.js')
    return Number(outputOf([process.execPath, ...LAUNCHER_FLAGS, child, kind, source, to, product, flush]))
  })
}

function command(work: Work, source: string): number {
  return inFresh(work, 'added', (to) =>
    timeOf([launcher(work), '--prefix', to, 'store', 'add', source, '--quiet']),
  )
}

function measurePeer(work: Work, { prepare, command }: ImportPeer, source: string): number {
  const once = () =>
    inFresh(work, 'peer', (to) => {
      prepare(to)
      settle()
      return timeOf(...command(source, to))
    })
  return median(Array.from({ length: COMMAND_ROUNDS }, once))
}

function inFresh(work: Work, prefix: string, use: (to: string) => number): number {
  const to = work.fresh(prefix)
  try {
    settle()
    return use(to)
  } finally {
    rmSync(to, { recursive: true, force: true })
  }
}
