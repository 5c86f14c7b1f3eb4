// Inputs worth keeping: those that reached something new when they were found, and
// those that once were a finding. One file a target, a line of base64 each.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Coverage } from './coverage.ts'
import type { Target } from './target.ts'

/** Kinds of outcomes of which one input each is kept. */
const MAX_OUTCOMES = 40

/** All targets, each a module in targets/. */
export const TARGETS = [
  'car',
  'links',
  'unixfs',
  'dag',
  'json',
  'temp-pin',
  'words',
  'api',
  'mount-paths',
] as const

/** A kept input has at most so many bytes: a corpus is small, and its inputs can be read. */
const MAX_KEPT = 1500

export async function loadTarget(name: string): Promise<Target> {
  const { target } = (await import(`./targets/${name}.ts`)) as { target: Target }
  return target
}

export function readCorpus(name: string): Uint8Array[] {
  if (!existsSync(fileOf(name))) return []
  const lines = readFileSync(fileOf(name), 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => Buffer.from(line, 'base64'))
}

/** Keeps those inputs, the shortest first, that reach what none before them reached. */
export async function writeCorpus(target: Target, inputs: readonly Uint8Array[]): Promise<number> {
  const coverage = new Coverage()
  const outcomes = new Set<string | undefined>()
  for (const input of target.seeds) outcomes.add(await target.run(Uint8Array.from(input)))
  coverage.take()
  const kept: string[] = []
  for (const input of [...inputs].sort((a, b) => a.length - b.length)) {
    if (input.length > MAX_KEPT) continue
    const outcome = await target.run(Uint8Array.from(input))
    const fresh = outcomes.size < MAX_OUTCOMES && !outcomes.has(outcome)
    outcomes.add(outcome)
    if (coverage.take() > 0 || fresh) kept.push(Buffer.from(input).toString('base64'))
  }
  coverage.close()
  writeFileSync(fileOf(target.name), `${kept.join('\n')}\n`)
  return kept.length
}

function fileOf(name: string): string {
  return join(import.meta.dirname, 'corpus', `${name}.txt`)
}
