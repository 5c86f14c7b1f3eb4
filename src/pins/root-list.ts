// All roots as people look at them: also those that are dead (what a killed process
// left, auto pins whose link was deleted), and those that cannot be read.

import { lstatSync } from 'node:fs'
import type { PrefixPaths } from '../paths.ts'
import { readTempPins } from '../store/add/temp-pin.ts'
import type { CID } from '../store/cid.ts'
import type { Root, RootKind } from './root.ts'
import { RootReader } from './roots.ts'

/**
 * alive: it keeps `cid`. dead: it keeps nothing, and the next collection removes it.
 * unreadable: it cannot be read now; with a `cid` it keeps what it led to when it last
 * could, without one nothing at all is collected; of a process only what was read of it
 * counts, which has lines of its own.
 */
export type RootState = 'alive' | 'dead' | 'unreadable'

export type ListedRoot = {
  kind: RootKind
  state: RootState
  name: string
  /** what names it for `dropRoots`: its link, the user's own link of an auto pin, its file, its entry in /proc */
  path: string
  user: string | undefined
  cid: CID | undefined
  /** when its link or file was made; undefined where that cannot be seen */
  since: Date | undefined
  profile?: string
  number?: number
  current?: boolean
  autoPin?: string
  /** why it cannot be read */
  errno?: string
  /** other links that lead through it */
  via?: readonly string[]
}

/** All roots of all users: links by kind, user and path, then temp pins and processes. */
export async function listRoots({ paths }: { paths: PrefixPaths }): Promise<ListedRoot[]> {
  const reader = new RootReader(paths)
  const { temp, links } = await reader.claims()
  const errnos = new Map(links.unreadable.map(({ path, errno }) => [path, errno]))
  const told = new Set<string>()
  const listed = links.roots.map((root): ListedRoot => {
    told.add(root.path)
    const errno = root.remembered ? (errnos.get(root.path) ?? '?') : undefined
    return { ...known(root), ...(errno === undefined ? {} : { state: 'unreadable', errno }) }
  })
  for (const { path, errno, cid } of links.unreadable) {
    if (!told.has(path) && cid === undefined)
      listed.push(nameless('pin', path, { state: 'unreadable', errno }))
  }
  for (const { autoPin, path } of links.gone) {
    listed.push({ ...nameless('auto', path, { state: 'dead' }), autoPin, since: madeAt(autoPin) })
  }
  listed.sort(
    (a, b) => inOrder(ORDER[a.kind], ORDER[b.kind]) || inOrder(a.user ?? '', b.user ?? '') || byPath(a, b),
  )
  const processes = await reader.processes()
  const stuck = processes.stuck.map(({ pid, name }) => ({
    ...nameless('process', `/proc/${pid}`, { state: 'unreadable', errno: 'ETIMEDOUT' }),
    name,
    since: undefined,
  }))
  return [...listed, ...temps(paths, temp.roots), ...processes.roots.map(known), ...stuck]
}

const ORDER: Record<RootKind, number> = { generation: 0, pin: 1, auto: 2, temp: 3, process: 4 }

/** One line a temp pin: a process protects hundreds of blocks by one. */
function temps(paths: PrefixPaths, roots: readonly Root[]): ListedRoot[] {
  return readTempPins(paths).map(({ file, pid, alive }) => ({
    ...nameless('temp', file, { state: alive ? 'alive' : 'dead' }),
    name: `process ${pid}`,
    cid: roots.find(({ path }) => path === file)?.cid,
  }))
}

function known(root: Root): ListedRoot {
  const { kind, name, path, user, cid, profile, number, current, autoPin, via, remembered } = root
  return {
    kind,
    state: 'alive',
    name,
    path,
    user,
    cid,
    // /proc has no dates of its own, and where a link cannot be read its date cannot.
    since: kind === 'process' || remembered ? undefined : madeAt(path),
    ...(profile !== undefined && { profile }),
    ...(number !== undefined && { number, current: current === true }),
    ...(autoPin !== undefined && { autoPin }),
    via,
  }
}

function nameless(kind: RootKind, path: string, state: Pick<ListedRoot, 'state' | 'errno'>): ListedRoot {
  return {
    kind,
    ...state,
    name: '',
    path,
    user: undefined,
    cid: undefined,
    since: state.errno === undefined ? madeAt(path) : undefined,
  }
}

/** When a link or file was made. Undefined when it cannot be looked at: an auto pin's may be in a home that is not mounted. */
export function madeAt(path: string): Date | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.mtime
  } catch {
    return undefined
  }
}

/** Generations by their numbers: as words 10 comes before 2. */
function byPath(a: ListedRoot, b: ListedRoot): number {
  if (a.profile !== undefined && a.profile === b.profile) return inOrder(a.number ?? 0, b.number ?? 0)
  return inOrder(a.path, b.path)
}

function inOrder<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : Number(a > b)
}
