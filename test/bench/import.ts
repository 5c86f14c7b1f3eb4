// Import against its limit, a bare loop that hashes every chunk and writes it to
// a file, on the same tree; and `pkg store add` as a whole against the peers.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type ImportPeer, importPeers } from './import-peers.ts'
import { inTurns, outputOf, settle, timeOf } from './measure.ts'
import { bundled, launcher } from './product.ts'
import type { Row } from './table.ts'
import { type TreeName, tree } from './trees.ts'
import type { Work } from './work.ts'

/** At least 0.6 of the bare loop's speed. */
const LIMIT = 1 / 0.6
const ROUNDS = 7
const COMMAND_ROUNDS = 5

/** As src/cli/pkg starts Node. */
const LAUNCHER_FLAGS = ['--max-semi-space-size=16']

/**
 * `keep`: what was written stays until the end. An ext4 without a journal does not
 * use a freed inode again for minutes, and whoever makes a file next looks at all
 * of them: after 20,000 deleted files the next 20,000 took 13 s instead of 0.9.
 */
const WORKLOADS: { name: TreeName; title: string; keep: boolean }[] = [
  { name: 'large', title: 'one file of 512 MiB', keep: false },
  { name: 'small', title: '20,000 files of 4 KiB', keep: true },
]

export async function benchImport(work: Work): Promise<Row[]> {
  const rows: Row[] = []
  for (const { name, title, keep } of WORKLOADS) {
    const source = tree(work, name)
    const into = (prefix: string, use: (to: string) => number) => () => {
      const to = work.fresh(prefix)
      settle()
      const time = use(to)
      if (!keep) rmSync(to, { recursive: true, force: true })
      return time
    }
    rows.push({
      title: `import of ${title}`,
      ...(await inTurns(ROUNDS, {
        ours: into('ours', (to) => sample(work, 'ours', source, to)),
        reference: into('bare', (to) => sample(work, 'bare', source, to)),
      })),
      against: 'bare loop',
      limit: LIMIT,
    })
    const peers = importPeers(work)
    const timed = peers.map((peer) => [peer.name, into('peer', (to) => measurePeer(peer, source, to))])
    rows.push({
      title: `pkg store add of ${title}`,
      ...(await inTurns(COMMAND_ROUNDS, {
        ours: into('added', (to) => timeOf(addCommand(work, source, to))),
        reference: into('bare', (to) => sample(work, 'bare', source, to)),
        peers: Object.fromEntries(timed),
      })),
      against: 'bare loop',
      ahead: peers.filter(({ promised }) => promised).map(({ name }) => name),
    })
    // With a pin it waits for the disk; of the peers only ostree does.
    rows.push({
      title: `pkg store add --pin of ${title}`,
      ...(await inTurns(COMMAND_ROUNDS, {
        ours: into('pinned', (to) => timeOf([...addCommand(work, source, to), '--pin', 'bench'])),
        reference: into('flushed', (to) => sample(work, 'flushed', source, to)),
      })),
      against: 'bare loop + sync',
    })
  }
  return rows
}

/** A process of its own, which times what it does between its start and its end. */
function sample(work: Work, kind: 'ours' | 'bare' | 'flushed', source: string, to: string): number {
  const child = join(import.meta.dirname, 'import-sample.ts')
  const product = bundled(work, 'index.js')
  return Number(outputOf([process.execPath, ...LAUNCHER_FLAGS, child, kind, source, to, product]))
}

function addCommand(work: Work, source: string, to: string): string[] {
  return [launcher(work), '--prefix', to, 'store', 'add', source, '--quiet']
}

function measurePeer({ prepare, command }: ImportPeer, source: string, to: string): number {
  prepare(to)
  settle()
  return timeOf(...command(source, to))
}
