// A process of the stress tests: reads files through the mount, again and again,
// and holds what it gets against what it has to be, until SIGTERM. argv: one JSON
// object, see `MountReaderData`. Then it prints how often it saw what.

import { createHash } from 'node:crypto'
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { pickerOf, randomOf } from './random.ts'

export type MountReaderData = {
  store: string
  /** each tree's root in several spellings: each is a path that the kernel has to ask for */
  trees: { spellings: string[]; files: Record<string, { sha256: string; size: number }> }[]
  seed: number
}

/** `outcomes`: 'right', or the errno of what failed. */
export type MountReaderReport = { outcomes: Record<string, number>; wrong: string[] }

const { store, trees, seed } = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as MountReaderData
const random = randomOf(seed)
const pick = pickerOf(random)
const report: MountReaderReport = { outcomes: {}, wrong: [] }
let ended = false
process.on('SIGTERM', () => {
  ended = true
})

/** In pieces as a program reads, or at once. */
function read(path: string): Buffer {
  if (random() < 0.5) return readFileSync(path)
  const fd = openSync(path, 'r')
  try {
    const pieces: Buffer[] = []
    for (;;) {
      const piece = Buffer.alloc(1 + Math.floor(random() * 200_000))
      const count = readSync(fd, piece, 0, piece.length, null)
      if (count === 0) return Buffer.concat(pieces)
      pieces.push(piece.subarray(0, count))
    }
  } finally {
    closeSync(fd)
  }
}

function look(): void {
  const { spellings, files } = pick(trees)
  const [name, expected] = pick(Object.entries(files))
  const path = join(store, pick(spellings), name)
  let outcome = 'right'
  try {
    const bytes = read(path)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    if (sha256 !== expected.sha256) {
      outcome = 'WRONG'
      report.wrong.push(`${path}: ${bytes.length} bytes with sha256 ${sha256}, for ${expected.size} bytes`)
    }
  } catch (error) {
    outcome = (error as NodeJS.ErrnoException).code ?? String(error)
  }
  report.outcomes[outcome] = (report.outcomes[outcome] ?? 0) + 1
}

while (!ended) {
  look()
  await setImmediate()
}
console.log(JSON.stringify(report))
