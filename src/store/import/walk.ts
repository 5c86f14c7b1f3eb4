// The walk of an import. It runs ahead on this thread and queues the files;
// their leaves come back in any order. A directory is made as soon as its last
// entry is there, so memory holds the directories that are open, never the tree.

import type { Stats } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { PkgError } from '../../errors.ts'
import { type Builder, buildEntry, buildFile } from './build.ts'
import { makeDirectory } from './directory.ts'
import { arrangeEntries, type EntryDirectory, isEntryDirectory, type TreeEntry } from './entries.ts'
import { type OpenDirectory, readsOf } from './file-reads.ts'
import { type Made, makeSymlink } from './nodes.ts'
import type { ReadResult } from './read.ts'
import type { ReadQueue } from './read-queue.ts'
import type { StoredTarget } from './shown-links.ts'
import { physicalPath, readNames, readTarget, type SourceKind, statRoot, statSource } from './source.ts'

/** Entries that the walk looks at before it lets results and signals in: about a millisecond's worth. */
const ENTRIES_A_TURN = 256

const NO_EXTRA: EntryDirectory = { children: new Map() }

export type ImportProgress = {
  files: number
  bytes: number
  /** there once the walk, which runs ahead of the reading, has seen everything */
  totalFiles?: number
  totalBytes?: number
}

export type WalkOptions = {
  onProgress?: ((progress: ImportProgress) => void) | undefined
  /** Called with each path below the imported one; false leaves it out, a directory with all it holds. */
  filter?: ((path: string, kind: SourceKind) => boolean) | undefined
  storedTarget: StoredTarget
}

type Found = { name: string; kind: SourceKind; stat: Stats }

export class TreeWalk {
  readonly counts = { files: 0, directories: 0, symlinks: 0, bytes: 0 }
  readonly #builder: Builder
  readonly #queue: ReadQueue
  readonly #options: WalkOptions
  /** What can be made now, because all below it is; each may make another one ready. */
  #ready: (() => Promise<void>)[] = []
  #seen = { files: 0, bytes: 0 }
  #walked = false
  #looked = 0

  constructor(builder: Builder, queue: ReadQueue, options: WalkOptions) {
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
    // The root is the only entry of a directory that is never made.
    const above: OpenDirectory = {
      path: physicalPath(path),
      below: '',
      entries: [],
      awaited: 1,
      parent: undefined,
    }
    await this.#enter(above, { name: '', kind, stat }, overlay)
    this.#walked = true
    await this.#queue.drain()
    // The nodes of large directories take memory too: the threads' is free by then.
    await this.#queue.close()
    await this.#makeReady()
    this.#report()
    return above.entries[0]!
  }

  /** Sees to it that what was found gets into its directory, now or when it was read. */
  async #enter(
    directory: OpenDirectory,
    { name, kind, stat }: Found,
    overlay: EntryDirectory,
  ): Promise<void> {
    directory.awaited += 1
    if (kind === 'directory') await this.#walk(directory, name, overlay)
    else if (kind === 'symlink') this.#add(directory, name, await this.#symlink(join(directory.path, name)))
    else this.#file(directory, name, stat)
  }

  async #walk(parent: OpenDirectory, name: string, overlay: EntryDirectory): Promise<void> {
    const directory: OpenDirectory = {
      path: join(parent.path, name),
      below: belowOf(parent, name),
      entries: [],
      awaited: 1,
      parent: { directory: parent, name },
    }
    const merged = new Set<string>()
    for (const entry of readNames(directory.path)) {
      const over = overlay.children.get(entry)
      if (over && !isEntryDirectory(over)) continue
      const { kind, stat } = statSource(join(directory.path, entry))
      if (over && kind !== 'directory') continue
      if (this.#options.filter?.(belowOf(directory, entry), kind) === false) continue
      if (over) merged.add(entry)
      await this.#enter(directory, { name: entry, kind, stat }, over ?? NO_EXTRA)
      await this.#turn()
    }
    for (const [entry, node] of overlay.children) {
      if (merged.has(entry)) continue
      directory.awaited += 1
      this.#add(directory, entry, await buildEntry(this.#builder, node))
    }
    this.#settle(directory)
    await this.#makeReady()
  }

  async #symlink(path: string): Promise<Made> {
    this.counts.symlinks += 1
    const target = this.#options.storedTarget(path, readTarget(path))
    return this.#builder.outbox.run(makeSymlink(target))
  }

  #file(directory: OpenDirectory, name: string, stat: Stats): void {
    this.#seen.files += 1
    this.#seen.bytes += stat.size
    for (const read of readsOf({ directory, name, stat }, this)) this.#queue.submit(read)
  }

  onBytes(bytes: number): void {
    this.counts.bytes += bytes
    this.#report()
  }

  onFile(directory: OpenDirectory, name: string, { parts, executable }: ReadResult): void {
    this.counts.files += 1
    this.#builder.rows.addParts(parts)
    if (parts.length === 1) this.#add(directory, name, parts[0]!)
    else {
      this.#ready.push(async () =>
        this.#add(directory, name, await buildFile(this.#builder, parts, executable)),
      )
    }
  }

  #add(directory: OpenDirectory, name: string, { cid, size }: Made): void {
    directory.entries.push({ name, cid, size })
    this.#settle(directory)
  }

  #settle(directory: OpenDirectory): void {
    const { entries, parent } = directory
    directory.awaited -= 1
    if (directory.awaited > 0 || parent === undefined) return
    this.counts.directories += 1
    this.#ready.push(async () => {
      this.#add(parent.directory, parent.name, await this.#builder.outbox.run(makeDirectory(entries)))
    })
  }

  async #makeReady(): Promise<void> {
    for (let make = this.#ready.shift(); make !== undefined; make = this.#ready.shift()) await make()
  }

  /** Now and then: lets results in, makes what they completed, and waits where the walk is too far ahead. */
  async #turn(): Promise<void> {
    this.#looked += 1
    if (this.#looked % ENTRIES_A_TURN !== 0) return
    await nextTurn()
    await this.#queue.room()
    await this.#makeReady()
  }

  #report(): void {
    const { files, bytes } = this.counts
    const total = this.#walked ? { totalFiles: this.#seen.files, totalBytes: this.#seen.bytes } : {}
    this.#options.onProgress?.({ files, bytes, ...total })
  }
}

function belowOf({ below }: OpenDirectory, name: string): string {
  return below === '' ? name : `${below}/${name}`
}
