// One target in a process of its own: node test/fuzz/child.ts <target>
// <seconds> <seed> <findings directory> [keep]. Prints one line of JSON.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { randomOf } from '../stress/random.ts'
import { loadTarget, readCorpus, writeCorpus } from './corpus.ts'
import { Coverage } from './coverage.ts'
import { Finding, fuzz } from './fuzz.ts'
import { startWatchdog } from './watchdog.ts'

const [name = '', seconds = '10', seed = '1', findings = '.', keep] = process.argv.slice(2)
mkdirSync(findings, { recursive: true })
const file = join(findings, `${name}-${seed}`)
const coverage = new Coverage()
const target = await loadTarget(name)
try {
  const random = randomOf(Number(seed))
  const known = readCorpus(name)
  const watch = startWatchdog(file)
  const { runs, kept, slowestMs, outcomes } = await fuzz(target, known, {
    random,
    ms: Number(seconds) * 1000,
    coverage,
    watch,
  })
  const reached = coverage.reached
  coverage.close()
  const corpus = keep === undefined ? known.length : await writeCorpus(target, [...known, ...kept])
  const rss = process.resourceUsage().maxRSS / 1024
  print({
    runs,
    reached,
    kept: kept.length,
    corpus,
    outcomes: outcomes.size,
    slowestMs: Math.round(slowestMs),
    peakMiB: Math.round(rss),
  })
} catch (error) {
  if (!(error instanceof Finding)) throw error
  writeFileSync(file, error.input)
  print({ finding: error.message, file })
} finally {
  await target.close?.()
}
process.exit()

function print(result: object): void {
  process.stdout.write(`${JSON.stringify({ name, seed: Number(seed), ...result })}\n`)
}
