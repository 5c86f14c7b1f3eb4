// Trees of real files from seeded randomness, and the same as entries for ipfs-unixfs-importer.

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ImportCandidate } from 'ipfs-unixfs-importer'

export type DiskEntry =
  | { path: string; content: Uint8Array; executable?: boolean }
  | { path: string; link: string }
  | { path: string; directory: true }

/** Makes the entries below `root`, which is made too. */
export function writeTree(root: string, entries: Iterable<DiskEntry>): void {
  mkdirSync(root, { recursive: true })
  for (const entry of entries) {
    const path = join(root, entry.path)
    mkdirSync('directory' in entry ? path : dirname(path), { recursive: true })
    if ('link' in entry) symlinkSync(entry.link, path)
    else if ('content' in entry)
      writeFileSync(path, entry.content, { mode: entry.executable ? 0o755 : 0o644 })
  }
}

/** The same for the library: modes as our format stores them. */
export function libraryEntries(entries: Iterable<DiskEntry>): ImportCandidate[] {
  return Array.from(entries, (entry) => {
    if ('directory' in entry) return { path: entry.path }
    if ('link' in entry) return { path: entry.path, link: entry.link }
    return { path: entry.path, content: entry.content, ...(entry.executable ? { mode: 0o755 } : {}) }
  })
}

const ODD_NAMES = [
  '.hidden',
  'with space',
  'new\nline',
  'ünïcödé',
  '\u{1F600}',
  '\uFEFFbom',
  '\uFFFD',
  '-dash',
  '"',
  '%2C+=',
]

/** Numbers from 0 to 1 that depend on the seed alone (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A tree of some `count` entries: files around the chunk size too, symlinks, empty directories, odd names. */
export function randomTree(seed: number, count: number): DiskEntry[] {
  const random = seededRandom(seed)
  const below = (limit: number) => Math.floor(random() * limit)
  const directories = ['']
  return Array.from({ length: count }, (_, index): DiskEntry => {
    const odd = random() < 0.2 ? ODD_NAMES[below(ODD_NAMES.length)] : 'entry'
    const path = join(directories[below(directories.length)]!, `${odd}-${index}`)
    const kind = random()
    if (kind < 0.15) {
      directories.push(path)
      return { path, directory: true }
    }
    if (kind < 0.25) return { path, link: random() < 0.5 ? '../dangling/☃' : `entry-${below(count)}` }
    return { path, content: randomContent(random), executable: random() < 0.2 }
  })
}

const CHUNK = 1_048_576

function randomContent(random: () => number): Uint8Array {
  const sizes = [0, 1, 100, 5000, 70_000]
  if (random() < 0.05) sizes.splice(0, sizes.length, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7)
  return Buffer.alloc(sizes[Math.floor(random() * sizes.length)]!, String(random()))
}
