// `node test/fuzz/figures.ts [words of titles]`: every hostile DAG through every command, as a table.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HOSTILE_DAGS } from '../fixtures/hostile-dags.ts'
import { runHostile, type Step } from './hostile-run.ts'

const wanted = process.argv.slice(2)
for (const dag of HOSTILE_DAGS) {
  if (wanted.length > 0 && !wanted.some((word) => dag.title.includes(word))) continue
  const directory = mkdtempSync(join(tmpdir(), 'pkg-test-hostile-'))
  try {
    const { blocks, bytes, steps } = await runHostile(dag, directory)
    console.log(`${dag.title}: ${blocks} blocks, ${(bytes / 2 ** 20).toFixed(1)} MiB`)
    for (const step of steps) console.log(`  ${line(step)}`)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function line({ step, ms, cpuMs, peakMiB, end, code, blockedMs, stderr }: Step): string {
  const odd = end === 1 || typeof end === 'string'
  return `${step.padEnd(7)} ${String(ms).padStart(6)} ms, cpu ${String(cpuMs).padStart(6)} ms ${String(peakMiB).padStart(5)} MiB  ${end} ${code}${blockedMs === undefined ? '' : ` blocked ${blockedMs} ms`}${odd ? ` !! ${stderr.slice(-300)}` : ''}`
}
