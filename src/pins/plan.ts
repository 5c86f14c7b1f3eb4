// The plan of a collection: what the roots are, what they reach, and which blocks
// nothing reaches. Changes nothing; `pkg gc --dry-run` prints it.

import { lstatSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { PkgError } from '../errors.ts'
import type { BlockKey, CID } from '../store/cid.ts'
import type { Store } from '../store/store.ts'
import { isQuarantined } from './damage.ts'
import { Marker } from './mark.ts'
import { findOldGenerations } from './old-generations.ts'
import type { Generation, RetentionPolicy } from './retention.ts'
import type { GoneAutoPin, Root, UnreadableRoot } from './root.ts'
import { RootReader } from './roots.ts'
import { type AtPoint, pass } from './stop-point.ts'

/** Block files between two turns of the event loop: a few ms of work. */
const FILES_A_TURN = 1024

/** The steps of a collection, as they are reported; `total` is there where it is known. */
export type CollectionProgress = {
  step: 'mark' | 'list' | 'sweep'
  blocks: number
  bytes?: number
  total?: number
}

export type PlanOptions = {
  signal?: AbortSignal | undefined
  onProgress?: ((progress: CollectionProgress) => void) | undefined
  at?: AtPoint | undefined
  /** stop once so many bytes are freed: less than one block more may go */
  maxFreedBytes?: number | undefined
  /** delete no more than it takes for so many bytes to be free on the file system; nothing at all when they are */
  ensureFreeBytes?: number | undefined
  /** blocks without a root whose files are younger stay, with all they lead to, in ms; else the setting gc.graceSeconds */
  graceMs?: number | undefined
}

/** Dead blocks and the bytes of each, in the order of their files. */
export type DeadBlocks = { keys: BlockKey[]; sizes: number[] }

export type MarkedRoots = {
  roots: Root[]
  unreadable: UnreadableRoot[]
  gone: GoneAutoPin[]
  /** the directories that links were read from */
  directories: string[]
  deniedProcesses: number
  marker: Marker
}

export type Survey = MarkedRoots & {
  dead: DeadBlocks
  /** block files in all, and those among them that stay */
  listed: number
}

export type CollectionPlan = {
  /** what keeps the rest alive */
  roots: Root[]
  /** generations that the policy lets go */
  generations: Generation[]
  /** auto pins whose link was deleted */
  gone: GoneAutoPin[]
  /** roots that cannot be read; one without a `cid` keeps everything */
  unreadable: UnreadableRoot[]
  /** processes of others at which we may not look: what they run from the store is not seen */
  deniedProcesses: number
  /** nodes that a root reaches but that are not here */
  incomplete: CID[]
  /** nodes that a root reaches but that are damaged: a collection would stop there (damage.ts) */
  damaged: CID[]
  /** dead blocks and their bytes */
  blocks: number
  bytes: number
  /** blocks that stay */
  keptBlocks: number
}

/** What a collection with this policy would delete if it ran now. */
export async function planCollection(
  store: Store,
  policy: RetentionPolicy = {},
  options: PlanOptions = {},
): Promise<CollectionPlan> {
  const reader = new RootReader(store.paths)
  let generations: Generation[] = []
  const survey = await surveyStore(store, reader, {
    ...options,
    leaveOut: (roots) => {
      generations = findOldGenerations(roots, policy)
      return new Set(generations.map((one) => one.path))
    },
  })
  const { roots, gone, unreadable, deniedProcesses, marker, dead, listed } = survey
  const { blocks, bytes } = unreadable.some(isFatal) ? { blocks: 0, bytes: 0 } : totals(dead)
  return {
    roots,
    generations,
    gone,
    unreadable,
    deniedProcesses,
    incomplete: marker.incomplete,
    damaged: marker.damaged,
    blocks,
    bytes,
    keptBlocks: listed - blocks,
  }
}

export function totals({ keys, sizes }: DeadBlocks): { blocks: number; bytes: number } {
  return { blocks: keys.length, bytes: sizes.reduce((sum, size) => sum + size, 0) }
}

/** `leaveOut` gives the paths of roots that shall not count. */
export type SurveyOptions = PlanOptions & {
  leaveOut?: ((roots: readonly Root[]) => ReadonlySet<string>) | undefined
}

/** Reads the roots, marks, and lists what is dead. */
export async function surveyStore(
  store: Store,
  reader: RootReader,
  options: SurveyOptions = {},
): Promise<Survey> {
  const marked = await markRoots(store, reader, options)
  const { dead, listed } = await listDead(store, marked.marker, options)
  await pass('listed', options.at)
  return { ...marked, dead, listed }
}

/** Reads the roots and marks what they reach. */
export async function markRoots(
  store: Store,
  reader: RootReader,
  options: SurveyOptions = {},
): Promise<MarkedRoots> {
  const { at, signal, onProgress } = options
  const { temp, links } = await reader.claims(() => pass('temp-pins-read', at))
  const processes = reader.processes()
  await pass('roots-read', at)
  const without = options.leaveOut?.(links.roots)
  const roots = [...links.roots.filter((root) => !without?.has(root.path)), ...temp.roots, ...processes.roots]
  const marker = new Marker(store, (cid) => isQuarantined(store.paths, cid))
  for (const key of temp.blocks) marker.keep(key)
  for (const root of roots) marker.add(root.cid)
  await marker.run({
    ...(signal && { signal }),
    onProgress: (blocks) => onProgress?.({ step: 'mark', blocks }),
  })
  store.flush()
  await pass('marked', at)
  const { unreadable, gone, directories } = links
  return { roots, unreadable, gone, directories, deniedProcesses: processes.denied, marker }
}

/** A root of which nothing is known may be anything: then nothing may be deleted (invariant 5). */
export function isFatal({ cid }: UnreadableRoot): boolean {
  return cid === undefined
}

/** Throws for roots that cannot be read and are not remembered, before anything is deleted on their account. */
export function refuseUnreadable(unreadable: readonly UnreadableRoot[]): void {
  const first = unreadable.find(isFatal)
  if (first === undefined) return
  const code = first.errno === 'EACCES' || first.errno === 'EPERM' ? 'PERMISSION' : 'IO'
  throw new PkgError(code, `roots at ${first.path} cannot be read (${first.errno}): nothing is deleted`, {
    hint: 'Make it readable or mount it; or, if what it kept is not wanted any more, remove the link there.',
  })
}

async function listDead(store: Store, marker: Marker, { signal, onProgress }: PlanOptions) {
  const dead: DeadBlocks = { keys: [], sizes: [] }
  let listed = 0
  for (const { key, cid, file } of store.blocks.list()) {
    if (++listed % FILES_A_TURN === 0) {
      onProgress?.({ step: 'list', blocks: listed })
      await nextTurn()
      signal?.throwIfAborted()
    }
    if (marker.alive.has(cid.multihash.bytes)) continue
    const stats = lstatSync(file, { throwIfNoEntry: false })
    if (stats === undefined) continue
    dead.keys.push(key)
    dead.sizes.push(stats.size)
  }
  return { dead, listed }
}
