// Programs that run from the store are roots: what they map, have open or stand
// in must stay, whatever became of the links that they were started through.
// Only /proc is read. A process that we may not look at is counted and said;
// one that ends while we look was no root.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { isErrno } from '../errors.ts'
import { type CID, tryParseCid } from '../store/cid.ts'
import { readMounts } from './mount-table.ts'
import type { Root } from './root.ts'

export type ProcessRoots = {
  roots: Root[]
  /** processes of other users at which this one may not look (ptrace(2), PTRACE_MODE_READ) */
  denied: number
  /** the first of them: pid and program (`comm`, which everybody may read) */
  deniedFirst: DeniedProcess[]
}

export type DeniedProcess = { pid: number; name: string }

/** Processes of others that are named. */
const NAMED = 3

/** include/linux/sched.h */
const PF_KTHREAD = 0x00200000

/** One name of a store path: no base of ours uses anything else. */
const NAME = '([A-Za-z0-9_-]{3,})'

/** Processes that hold something of the store that is mounted under one of these names. */
export function readProcesses(stores: readonly string[], proc = '/proc'): ProcessRoots {
  const seen: ProcessRoots = { roots: [], denied: 0, deniedFirst: [] }
  const pattern = new RegExp(`(?:${stores.map(escapePattern).join('|')})/+${NAME}`, 'g')
  const namespaces = new Set<string>()
  for (const name of readdirSync(proc)) {
    if (!/^\d+$/.test(name)) continue
    const reader = new ProcessReader(`${proc}/${name}`, pattern)
    reader.read(namespaces)
    seen.roots.push(...reader.roots.values())
    if (!reader.denied || reader.isKernelThread()) continue
    seen.denied += 1
    if (seen.denied <= NAMED) seen.deniedFirst.push({ pid: Number(name), name: reader.command() })
  }
  return seen
}

class ProcessReader {
  readonly roots = new Map<string, Root>()
  denied = false
  readonly #directory: string
  readonly #pattern: RegExp

  constructor(directory: string, pattern: RegExp) {
    this.#directory = directory
    this.#pattern = pattern
  }

  read(namespaces: Set<string>): void {
    for (const link of ['exe', 'cwd', 'root']) this.#path(link, this.#link(link))
    for (const fd of this.#try(() => readdirSync(`${this.#directory}/fd`)) ?? []) {
      this.#path(`fd/${fd}`, this.#link(`fd/${fd}`))
    }
    this.#text(
      'maps',
      this.#try(() => readFileSync(`${this.#directory}/maps`, 'latin1')),
    )
    this.#text(
      'environ',
      this.#try(() => readFileSync(`${this.#directory}/environ`, 'latin1')),
    )
    this.#mounts(namespaces)
  }

  /**
   * Beside the usual path: seen from another root, or after a lazy unmount, the
   * kernel gives the path from the top of the file system, `/<cid>/bin/x`.
   */
  #path(what: string, path: string | undefined): void {
    if (path === undefined) return
    this.#text(what, path)
    const top = /^\/([A-Za-z0-9_-]{40,})(?:\/| \(deleted\)$|$)/.exec(path)
    if (top) this.#keep(what, top[1]!)
  }

  #text(what: string, text: string | undefined): void {
    for (const match of text?.matchAll(this.#pattern) ?? []) this.#keep(what, match[1]!)
    if (what !== 'maps') return
    for (const match of text?.matchAll(/ \/([A-Za-z0-9_-]{40,})\//g) ?? []) this.#keep(what, match[1]!)
  }

  /** In a container a package may be mounted anywhere: then only its mount table says which it is. */
  #mounts(namespaces: Set<string>): void {
    const namespace = this.#link('ns/mnt')
    if (namespace === undefined || namespaces.has(namespace)) return
    namespaces.add(namespace)
    const mounts = this.#try(() => readMounts(`${this.#directory}/mountinfo`)) ?? []
    for (const { type, root } of mounts) {
      const name = root.split('/')[1]
      if (type.startsWith('fuse') && name) this.#keep('mountinfo', name)
    }
  }

  #keep(what: string, name: string): void {
    const cid: CID | undefined = tryParseCid(name)
    if (cid === undefined || this.roots.has(name)) return
    const path = `${this.#directory}/${what}`
    this.roots.set(name, { kind: 'process', cid, name: this.command(), path, via: [] })
  }

  /** Those run nothing of anybody's. Everybody may read the flags: the ninth field of stat, the seventh behind the name. */
  isKernelThread(): boolean {
    const stat = this.#try(() => readFileSync(`${this.#directory}/stat`, 'latin1')) ?? ''
    const flags = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[6])
    return (flags & PF_KTHREAD) !== 0
  }

  command(): string {
    return this.#try(() => readFileSync(`${this.#directory}/comm`, 'utf8').trim()) ?? ''
  }

  #link(name: string): string | undefined {
    return this.#try(() => readlinkSync(`${this.#directory}/${name}`))
  }

  #try<T>(read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      // A kernel thread has no exe, a zombie nothing at all; EINVAL is what some entries of theirs say.
      if (isErrno(error, 'ENOENT', 'ESRCH', 'EINVAL', 'ENOTDIR')) return undefined
      if (!isErrno(error, 'EACCES', 'EPERM')) throw error
      this.denied = true
      return undefined
    }
  }
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
