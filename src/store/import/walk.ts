// The walk of an import. It runs ahead on this thread and queues the files;
// their leaves come back in any order. A directory is made as soon as its last
// entry is there, so memory holds the directories that are open, never the tree.

import type { Stats } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as breathe } from 'node:timers/promises'
import { PkgError } from '../../errors.ts'
import { type Builder, buildEntry, buildFile } from './build.ts'
import { makeDirectory } from './directory.ts'
import type { Link } from './encode.ts'
import { arrangeEntries, type EntryDirectory, isEntryDirectory, type TreeEntry } from './entries.ts'
import { CHUNK_BYTES } from './format.ts'
import type { ImportOptions } from './import-tree.ts'
import { type Made, makeSymlink, type Part } from './nodes.ts'
import type { ReadQueue } from './read-queue.ts'
import { readNames, readTarget, signatureOf, statRoot, statSource } from './source.ts'

/** A larger file is read in spans of this size, which several threads share. */
const SPAN_BYTES = 8 * CHUNK_BYTES

/** Entries that the walk looks at before it lets results and signals in: about a millisecond's worth. */
const ENTRIES_A_TURN = 256

const NO_EXTRA: EntryDirectory = { children: new Map() }

type Done = (made: Made) => void

/** A directory with entries to come. Whoever adds to `awaited` settles it once. */
type OpenDirectory = { entries: Link[]; awaited: number; done: Done }

export class TreeWalk {
  readonly counts = { files: 0, directories: 0, symlinks: 0, bytes: 0 }
  readonly #builder: Builder
  readonly #queue: ReadQueue
  readonly #options: Pick<ImportOptions, 'onProgress' | 'filter'>
  /** What can be made now, because all below it is; each may make another one ready. */
  #ready: (() => Promise<void>)[] = []
  #seen = { files: 0, bytes: 0 }
  #walked = false
  #looked = 0

  constructor(builder: Builder, queue: ReadQueue, options: Pick<ImportOptions, 'onProgress' | 'filter'>) {
    this.#builder = builder
    this.#queue = queue
    this.#options = options
  }

  /** Imports what is at `path`, with `extra` put into it; see importTree. */
  async importRoot(path: string, extra: Iterable<TreeEntry>): Promise<Made> {
    const overlay = arrangeEntries(extra)
    const { kind, stat } = statRoot(path)
    if (kind !== 'directory' && overlay.children.size > 0) {
      throw new PkgError('NOT_DIRECTORY', `${path} is no directory: nothing can be put into it`)
    }
    let root: Made | undefined
    const done: Done = (made) => {
      root = made
    }
    if (kind === 'directory') await this.#directory({ path, below: '' }, overlay, done)
    else if (kind === 'symlink') done(await this.#symlink(path))
    else this.#file(path, stat, done)
    this.#walked = true
    while (root === undefined) {
      await this.#queue.drain()
      await this.#makeReady()
    }
    this.#report()
    return root
  }

  async #directory(at: { path: string; below: string }, overlay: EntryDirectory, done: Done): Promise<void> {
    // One more is awaited than there are entries: this loop itself.
    const open: OpenDirectory = { entries: [], awaited: 1, done }
    const placed = new Set<string>()
    for (const name of readNames(at.path)) {
      const over = overlay.children.get(name)
      if (over && !isEntryDirectory(over)) continue
      const path = join(at.path, name)
      const below = at.below === '' ? name : `${at.below}/${name}`
      const { kind, stat } = statSource(path)
      if (over && kind !== 'directory') continue
      if (this.#options.filter?.(below, kind) === false) continue
      const settle = this.#expect(open, name)
      placed.add(name)
      if (kind === 'directory') await this.#directory({ path, below }, over ?? NO_EXTRA, settle)
      else if (kind === 'symlink') settle(await this.#symlink(path))
      else this.#file(path, stat, settle)
      await this.#turn()
    }
    for (const [name, entry] of overlay.children) {
      if (!placed.has(name)) this.#expect(open, name)(await buildEntry(this.#builder, entry))
    }
    this.#settle(open)
    await this.#makeReady()
  }

  async #symlink(path: string): Promise<Made> {
    this.counts.symlinks += 1
    return this.#builder.outbox.run(makeSymlink(readTarget(path)))
  }

  #file(path: string, stat: Stats, done: Done): void {
    this.#seen.files += 1
    this.#seen.bytes += stat.size
    const spans = Math.max(1, Math.ceil(stat.size / SPAN_BYTES))
    const signature = spans === 1 ? '' : signatureOf(stat)
    const read: Part[][] = []
    let missing = spans
    for (let index = 0; index < spans; index++) {
      const offset = index * SPAN_BYTES
      const length = Math.min(SPAN_BYTES, stat.size - offset)
      this.#queue.submit({
        task: spans === 1 ? { path } : { path, span: { offset, length, signature } },
        bytes: length,
        done: ({ parts, executable }) => {
          read[index] = parts
          missing -= 1
          this.counts.bytes += parts.reduce((sum, part) => sum + part.bytes, 0)
          if (missing === 0) this.#finishFile(read.flat(), executable, done)
          this.#report()
        },
      })
    }
  }

  #finishFile(parts: readonly Part[], executable: boolean, done: Done): void {
    this.counts.files += 1
    this.#builder.rows.addParts(parts)
    if (parts.length === 1) done(parts[0]!)
    else this.#ready.push(async () => done(await buildFile(this.#builder, parts, executable)))
  }

  /** What to call with an entry's DAG once it is made. */
  #expect(open: OpenDirectory, name: string): Done {
    open.awaited += 1
    return ({ cid, size }) => {
      open.entries.push({ name, cid, size })
      this.#settle(open)
    }
  }

  #settle(open: OpenDirectory): void {
    open.awaited -= 1
    if (open.awaited > 0) return
    this.counts.directories += 1
    this.#ready.push(async () => open.done(await this.#builder.outbox.run(makeDirectory(open.entries))))
  }

  async #makeReady(): Promise<void> {
    for (let make = this.#ready.shift(); make !== undefined; make = this.#ready.shift()) await make()
  }

  /** Now and then: lets results in, makes what they completed, and waits where the walk is too far ahead. */
  async #turn(): Promise<void> {
    this.#looked += 1
    if (this.#looked % ENTRIES_A_TURN !== 0) return
    await breathe()
    await this.#queue.room()
    await this.#makeReady()
  }

  #report(): void {
    const { files, bytes } = this.counts
    const total = this.#walked ? { totalFiles: this.#seen.files, totalBytes: this.#seen.bytes } : {}
    this.#options.onProgress?.({ files, bytes, ...total })
  }
}
