// The most memory that `pkg store add`, as it is launched, takes for what is
// large in some direction: it must not grow with the input.

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { timeOf } from './measure.ts'
import { launcher } from './product.ts'
import type { Row } from './table.ts'
import { type TreeName, tree } from './trees.ts'
import type { Work } from './work.ts'

const LIMIT_MIB = 300

const WORKLOADS: { name: TreeName; title: string }[] = [
  { name: 'large', title: 'one file of 512 MiB' },
  { name: 'small', title: '20,000 files of 4 KiB' },
  { name: 'wide', title: 'a directory of 100,000 files' },
  { name: 'long', title: 'a sparse file of 8 GiB' },
]

export async function benchMemory(work: Work): Promise<Row[]> {
  return WORKLOADS.map(({ name, title }) => {
    const peak = peakMiB(work, tree(work, name))
    return {
      title: `peak memory, ${title}`,
      ours: peak,
      reference: LIMIT_MIB,
      against: 'limit',
      ratio: peak / LIMIT_MIB,
      limit: 1,
      unit: 'MiB',
    }
  })
}

/** The process itself says at its end what its peak was. */
function peakMiB(work: Work, source: string): number {
  const to = work.fresh('memory')
  const hook = join(work.directory, 'peak.mjs')
  const report = join(work.directory, 'peak')
  writeFileSync(
    hook,
    `import { isMainThread } from 'node:worker_threads'
    import { writeFileSync } from 'node:fs'
    const tell = () => writeFileSync(${JSON.stringify(report)}, String(process.resourceUsage().maxRSS / 1024))
    if (isMainThread) process.on('exit', tell)`,
  )
  try {
    const env = { ...process.env, PKG_NODE_OPTIONS: `--import=${hook}` }
    timeOf([launcher(work), '--prefix', to, 'store', 'add', source, '--quiet'], { env })
    return Number(readFileSync(report, 'utf8'))
  } finally {
    rmSync(to, { recursive: true, force: true })
  }
}
