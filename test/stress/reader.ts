// A process of the stress tests: reads files through the mount or the library,
// again and again, and holds what it gets against what it has to be, until
// SIGTERM. argv: a file with one JSON object, see `ReaderData`. Then it prints how
// often it saw what.

import { createHash } from 'node:crypto'
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { PkgError } from '../../src/errors.ts'
import { parseCid } from '../../src/store/cid.ts'
import { Store } from '../../src/store/store.ts'
import { readFile } from '../../src/store/unixfs/read.ts'
import { resolvePath } from '../../src/store/unixfs/resolve.ts'
import { pickerOf, randomOf } from './random.ts'

export type ReadableTree = {
  name: string
  /** the tree's root in several spellings: each is a path that the kernel has to ask for */
  spellings: string[]
  files: Record<string, { sha256: string; size: number }>
}

export type ReaderData = {
  prefix: string
  via: 'mount' | 'library'
  trees: ReadableTree[]
  seed: number
  /** holds the CID of a directory in which the trees lie by name; read again and again, since it is another one soon */
  within?: string
}

/** `outcomes`: 'right', or the code of what failed. */
export type ReaderReport = { outcomes: Record<string, number>; wrong: string[] }

/** Reads between two looks at `within`. */
const LOOK_EVERY = 20

const { prefix, via, trees, seed, within } = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as ReaderData
const random = randomOf(seed)
const pick = pickerOf(random)
const report: ReaderReport = { outcomes: {}, wrong: [] }
const store = Store.openExisting(prefix)
let ended = false
process.on('SIGTERM', () => {
  ended = true
})

/** In pieces as a program reads, or at once. */
function readMount(path: string): Uint8Array {
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

function readLibrary(root: string, path: string): Uint8Array {
  return readFile(store.blocks, resolvePath(store.blocks, parseCid(root), path).cid)
}

function look(outer: string | undefined): void {
  const { name: tree, spellings, files } = pick(trees)
  const [name, expected] = pick(Object.entries(files))
  const [root, path] = outer ? [outer, join(tree, name)] : [pick(spellings), name]
  let outcome = 'right'
  try {
    const bytes = via === 'mount' ? readMount(join(prefix, 'store', root, path)) : readLibrary(root, path)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    if (sha256 !== expected.sha256) {
      outcome = 'WRONG'
      report.wrong.push(`${root}/${path}: ${bytes.length} bytes of ${sha256}, for ${expected.size} bytes`)
    }
  } catch (error) {
    outcome =
      error instanceof PkgError ? error.code : ((error as NodeJS.ErrnoException).code ?? String(error))
  }
  report.outcomes[outcome] = (report.outcomes[outcome] ?? 0) + 1
}

while (!ended) {
  const outer = within === undefined ? undefined : readFileSync(within, 'utf8')
  for (let n = 0; n < LOOK_EVERY && !ended; n++) {
    look(outer)
    await setImmediate()
  }
}
console.log(JSON.stringify(report))
store.close()
