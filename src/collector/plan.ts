// The plan of a collection: what the roots are, what they reach, and which blocks
// nothing reaches. Changes nothing; `pkg gc --dry-run` prints it.

import { PkgError } from '../errors.ts'
import { readRecord } from '../pins/auto-record.ts'
import type { NamedProcess } from '../pins/processes.ts'
import type { GoneAutoPin, Root, UnreadableRoot } from '../pins/root.ts'
import { RootReader } from '../pins/roots.ts'
import { pass } from '../pins/stop-point.ts'
import type { Store } from '../store/store.ts'
import { isQuarantined } from './damage.ts'
import { NO_CHECKOUTS, planCheckouts } from './dead-checkouts.ts'
import { type Gone, groupDead } from './dead-groups.ts'
import type { CollectionPlan } from './figures.ts'
import { Limit, type StoppedBy, Tally } from './limit.ts'
import { countBlocks, type Listed, listDead } from './list-dead.ts'
import { linksOfStore, Marker } from './mark.ts'
import { findOldGenerations, generationsOf } from './old-generations.ts'
import type { PlanOptions, SurveyOptions } from './options.ts'
import { type Generation, type KeptGeneration, keptBeyond, type RetentionPolicy } from './retention.ts'

export type MarkedRoots = {
  roots: Root[]
  unreadable: UnreadableRoot[]
  gone: GoneAutoPin[]
  /** the directories that links were read from */
  directories: string[]
  deniedProcesses: number
  /** the first of them */
  deniedFirst: NamedProcess[]
  /** processes of which not all could be read in time: only what they hold otherwise is seen */
  stuckProcesses: NamedProcess[]
  marker: Marker
}

export type Survey = MarkedRoots & Listed

/** What a collection with this policy and these limits would delete if it ran now. */
export async function planCollection(
  store: Store,
  policy: RetentionPolicy = {},
  options: PlanOptions = {},
): Promise<CollectionPlan> {
  const reader = new RootReader(store.paths)
  const limit = new Limit(store.paths, options)
  let generations: Generation[] = []
  let kept: KeptGeneration[] = []
  const survey = await surveyStore(store, reader, {
    ...options,
    leaveOut: (roots) => {
      const { policyUser } = options
      const its = policyUser === undefined ? roots : roots.filter(({ user }) => user === policyUser)
      const inForce = limit.isMet ? {} : policy
      generations = findOldGenerations(its, inForce)
      kept = keptBeyond(generationsOf(its), inForce)
      return new Set(generations.map((one) => one.path))
    },
  })
  const {
    roots,
    gone,
    unreadable,
    deniedProcesses,
    deniedFirst,
    stuckProcesses,
    marker,
    dead,
    listed,
    young,
  } = survey
  const groups = await groupDead(store, dead, {
    alive: marker.alive,
    gone: { generations, autoPins: remembered(gone) },
    signal: options.signal,
    nameDead: options.nameDead,
  })
  const fatal = unreadable.some(isFatal)
  const trees = fatal || limit.isMet ? NO_CHECKOUTS : planCheckouts(store, marker)
  const tally = new Tally(dead, groups, trees.checkoutDiskBytes)
  let stopped: StoppedBy | undefined
  let next = 0
  for (; next < dead.count && !fatal; next++) {
    stopped = limit.reached(tally)
    if (stopped !== undefined) break
    tally.add(next)
  }
  const room = limit.room(tally.freedBytes)
  return {
    roots,
    generations,
    kept,
    gone,
    unreadable,
    deniedProcesses,
    deniedFirst,
    stuckProcesses,
    incomplete: marker.incomplete,
    damaged: marker.damaged,
    ...tally.deleted,
    dead: tally.found(),
    ...(stopped && { stopped, left: dead.amountFrom(next, marker.alive) }),
    ...(room && { room }),
    young,
    keptBlocks: listed - dead.count - young,
    ...trees,
  }
}

/** What auto pins kept whose links were deleted, as far as they remember it. */
export function remembered(gone: readonly GoneAutoPin[]): Gone['autoPins'] {
  return gone.flatMap(({ autoPin, path }) => {
    const record = readRecord(autoPin)
    return record ? [{ path, cid: record.cid }] : []
  })
}

/** Reads the roots, marks, and lists what is dead. */
export async function surveyStore(
  store: Store,
  reader: RootReader,
  options: SurveyOptions = {},
): Promise<Survey> {
  const marked = await markRoots(store, reader, options)
  const found = await listDead(store, marked.marker, options)
  await pass('listed', options.at)
  return { ...marked, ...found }
}

/** Reads the roots and marks what they reach. */
export async function markRoots(
  store: Store,
  reader: RootReader,
  options: SurveyOptions = {},
): Promise<MarkedRoots> {
  const { at, signal, onProgress } = options
  const { temp, links } = await reader.claims(() => pass('temp-pins-read', at))
  const processes = await reader.processes()
  await pass('roots-read', at)
  const without = options.leaveOut?.(links.roots)
  const roots = [...links.roots.filter((root) => !without?.has(root.path)), ...temp.roots, ...processes.roots]
  const marker = new Marker(
    linksOfStore(store),
    (cid) => isQuarantined(store.paths, cid),
    countBlocks(store.paths),
  )
  for (const key of temp.blocks) marker.keep(key)
  for (const root of roots) marker.add(root.cid)
  await marker.run({
    ...(signal && { signal }),
    onProgress: (blocks) => onProgress?.({ step: 'mark', blocks }),
  })
  store.flush()
  await pass('marked', at)
  const { unreadable, gone, directories } = links
  const { denied: deniedProcesses, deniedFirst, stuck: stuckProcesses } = processes
  return { roots, unreadable, gone, directories, deniedProcesses, deniedFirst, stuckProcesses, marker }
}

/** A root of which nothing is known may be anything: then nothing may be deleted (invariant 5). */
export function isFatal({ cid, foreign = false }: UnreadableRoot): boolean {
  return cid === undefined && !foreign
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
