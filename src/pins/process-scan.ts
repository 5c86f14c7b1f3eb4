// What the processes of this machine hold, read from /proc alone, in a process of
// its own (process-scanner.ts): `maps` and `environ` wait for the other process's
// memory map, which that one may hold for ever, in a page fault on a file system
// that does not answer. What waits for nobody is read, and told, first.
// A process that ends while we look holds nothing.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { isErrno } from '../errors.ts'
import { readMounts } from './mount-table.ts'

/** What is looked for, and among which processes. */
export type ScanQuery = {
  /** names of the mount */
  stores: readonly string[]
  /** its device as `maps` has it; undefined where nobody asks who uses it */
  device?: string | undefined
  proc: string
  /** only processes with a higher pid */
  after: number
  /** of these only what waits for nobody, by `processName` */
  stuck: readonly string[]
}

/** Of a process: first what waits for nobody; then, where there is more, the rest. The last line has no process. */
export type ScanLine = {
  pid: number
  /** pid and start time: a pid is given again */
  id: string
  /** what the kernel calls it (proc_pid_comm(5)) */
  name: string
  /** names in the store, and the entry of /proc/<pid> that leads there */
  held: [what: string, name: string][]
  /** it stands in the mount, has files of it open, or maps its device */
  uses: boolean
  /** we may not look at all of it (ptrace(2), PTRACE_MODE_READ) */
  denied: boolean
}

/** include/linux/sched.h */
const PF_KTHREAD = 0x00200000

/** One name of a store path: no base of ours uses anything else. */
const NAME = '([A-Za-z0-9_-]{3,})'

/** Tells of each process, in the order of their pids, as it is read. */
export function scanProcesses(query: ScanQuery, tell: (line: ScanLine) => void): void {
  const { stores, proc, after, stuck } = query
  const pattern = new RegExp(`(?:${stores.map(escapePattern).join('|')})/+${NAME}`, 'g')
  const namespaces = new Set<string>()
  const pids = readdirSync(proc)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
  for (const pid of pids.sort((a, b) => a - b)) {
    if (pid <= after) continue
    const scan = new ProcessScan(pid, query, pattern)
    scan.readLinks(namespaces)
    tell(scan.line())
    if (!stuck.includes(scan.id) && scan.readMemory()) tell(scan.line())
  }
}

class ProcessScan {
  readonly id: string
  readonly #held = new Map<string, string>()
  #denied = false
  #uses = false
  readonly #pid: number
  readonly #directory: string
  readonly #query: ScanQuery
  readonly #pattern: RegExp
  /** fields of stat behind the name, which everybody may read */
  readonly #stat: string[]

  constructor(pid: number, query: ScanQuery, pattern: RegExp) {
    this.#pid = pid
    this.#query = query
    this.#directory = `${query.proc}/${pid}`
    this.#pattern = pattern
    const stat = this.#file('stat') ?? ''
    this.#stat = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    this.id = `${pid} ${this.#stat[19] ?? ''}`
  }

  /** What the kernel says without the process's memory map. */
  readLinks(namespaces: Set<string>): void {
    for (const link of ['exe', 'cwd', 'root']) this.#path(link, this.#link(link))
    for (const fd of this.#try(() => readdirSync(`${this.#directory}/fd`)) ?? []) {
      this.#path(`fd/${fd}`, this.#link(`fd/${fd}`))
    }
    this.#mounts(namespaces)
  }

  /** False where it said nothing new. */
  readMemory(): boolean {
    const before = [this.#held.size, this.#uses, this.#denied].join()
    const maps = this.#file('maps')
    this.#text('maps', maps)
    for (const match of maps?.matchAll(/ \/([A-Za-z0-9_-]{40,})\//g) ?? []) this.#keep('maps', match[1]!)
    const { device } = this.#query
    if (device !== undefined && maps?.includes(` ${device} `)) this.#uses = true
    if (device === undefined) this.#text('environ', this.#file('environ'))
    return [this.#held.size, this.#uses, this.#denied].join() !== before
  }

  line(): ScanLine {
    const held = [...this.#held].map(([name, what]): ScanLine['held'][number] => [what, name])
    const name = this.#file('comm', 'utf8')?.trim() ?? ''
    const denied = this.#denied && !this.#isKernelThread()
    return { pid: this.#pid, id: this.id, name, held, uses: this.#uses, denied }
  }

  /**
   * Beside the usual path: seen from another root, or after a lazy unmount, the
   * kernel gives the path from the top of the file system, `/<cid>/bin/x`.
   */
  #path(what: string, path: string | undefined): void {
    if (path === undefined) return
    if (this.#query.stores.some((store) => path === store || path.startsWith(`${store}/`))) this.#uses = true
    this.#text(what, path)
    const top = /^\/([A-Za-z0-9_-]{40,})(?:\/| \(deleted\)$|$)/.exec(path)
    if (top) this.#keep(what, top[1]!)
  }

  #text(what: string, text: string | undefined): void {
    for (const match of text?.matchAll(this.#pattern) ?? []) this.#keep(what, match[1]!)
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
    if (!this.#held.has(name)) this.#held.set(name, what)
  }

  /** Those run nothing of anybody's: the ninth field of stat, the seventh behind the name. */
  #isKernelThread(): boolean {
    return (Number(this.#stat[6]) & PF_KTHREAD) !== 0
  }

  #link(name: string): string | undefined {
    return this.#try(() => readlinkSync(`${this.#directory}/${name}`))
  }

  #file(name: string, encoding: 'latin1' | 'utf8' = 'latin1'): string | undefined {
    return this.#try(() => readFileSync(`${this.#directory}/${name}`, encoding))
  }

  #try<T>(read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      // A kernel thread has no exe, a zombie nothing at all; EINVAL is what some entries of theirs say.
      if (isErrno(error, 'ENOENT', 'ESRCH', 'EINVAL', 'ENOTDIR')) return undefined
      if (!isErrno(error, 'EACCES', 'EPERM')) throw error
      this.#denied = true
      return undefined
    }
  }
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
