// A process of the soak: many reads, listings and looks under way at once on a
// mount, at paths that change, until SIGTERM; then it prints how many there were
// and what went wrong. argv: the mount, and a file with the CID to read below.

import { readFileSync } from 'node:fs'
import { lstat, open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pickerOf, randomOf } from './random.ts'

const [store, within, seed] = process.argv.slice(2) as [string, string, string]
const pick = pickerOf(randomOf(Number(seed)))
/** More than the threads that read here: some always wait. */
const AT_ONCE = 24
const figures = { operations: 0, errors: {} as Record<string, number> }
let ended = false
process.on('SIGTERM', () => {
  ended = true
})

async function walk(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true })
  for (const entry of entries) {
    const child = join(path, entry.name)
    figures.operations++
    if (entry.isDirectory()) await walk(child)
    else await pick([readFile, lstat, readPart])(child)
    if (ended) return
  }
}

async function readPart(path: string): Promise<void> {
  const file = await open(path)
  try {
    await file.read(Buffer.alloc(5000), 0, 5000, 100)
  } finally {
    await file.close()
  }
}

async function reader(): Promise<void> {
  while (!ended) {
    const root = join(store, readFileSync(within, 'utf8'))
    try {
      await walk(join(root, pick(await readdir(root))))
    } catch (error) {
      const { code = String(error) } = error as NodeJS.ErrnoException
      if (code !== 'ENOTDIR') figures.errors[code] = (figures.errors[code] ?? 0) + 1
    }
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, reader))
console.log(JSON.stringify(figures))
