// What has to be true of a prefix by the journal of one worker: everything that
// was reported done, and has not been given up since. What was begun and not
// reported may have happened or not.

import { readdirSync, readlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { checkDag } from './checker.ts'
import type { Entry } from './journal.ts'

/** Errors that are no fault: the operation came too late, or somebody else was at it. */
const EXPECTED = ['NO_GENERATION', 'NO_PACKAGE', 'NO_PROFILE', 'NOT_FOUND', 'BUSY']

/** Of each profile a collector leaves so many generations at least; see worker.ts. */
const KEPT = 3

export class Ledger {
  readonly prefix: string
  readonly user: string
  readonly registryLink: string
  /** the pins that were reported, by name; undefined in doubt */
  readonly #pins = new Map<string, Set<string> | undefined>()
  readonly #generations = new Map<number, string>()
  /** which generation is current: that one only, unless a change was begun */
  #current: number | undefined
  #profileInDoubt = false
  #registry: { root: string | undefined; inDoubt: boolean } = { root: undefined, inDoubt: false }
  #held: string | undefined
  readonly done: Record<string, number> = {}
  readonly refused: Record<string, number> = {}
  readonly wrong: string[] = []
  collectedBlocks = 0

  constructor(prefix: string, user: string, registryLink: string) {
    this.prefix = prefix
    this.user = user
    this.registryLink = registryLink
  }

  take(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.state === 'intent') this.#begin(entry)
      else if (entry.state === 'done') this.#finish(entry)
      else this.#fail(entry)
    }
  }

  /** The process was killed: what it held by itself is given up. */
  killed(): void {
    this.#held = undefined
  }

  #begin(entry: Entry): void {
    if (entry.op === 'unpin') this.#pins.set(entry.key, undefined)
    if (entry.op === 'release') this.#held = undefined
    if (entry.op === 'profile') this.#profileInDoubt = true
    if (entry.op === 'publish') this.#registry.inDoubt = true
  }

  #finish(entry: Entry): void {
    this.done[entry.op] = (this.done[entry.op] ?? 0) + 1
    if (entry.op === 'pin') this.#pin(entry.key, entry.cid!)
    if (entry.op === 'unpin') this.#pins.delete(entry.key)
    if (entry.op === 'hold') this.#held = entry.cid
    if (entry.op === 'collect') this.collectedBlocks += entry.blocks ?? 0
    if (entry.op === 'profile') {
      this.#profileInDoubt = false
      this.#current = entry.generation
      if (entry.generation !== undefined) this.#generations.set(entry.generation, entry.cid!)
    }
    if (entry.op === 'publish') {
      this.#registry = { root: entry.root, inDoubt: false }
      this.#pin(entry.key, entry.cid!)
    }
  }

  #pin(key: string, cid: string): void {
    this.#pins.set(key, (this.#pins.get(key) ?? new Set()).add(cid))
  }

  /** It says that nothing happened; a change of the profile may all the same have come as far as its link. */
  #fail(entry: Entry): void {
    const { code = '', op, message } = entry
    this.refused[`${op} ${code}`] = (this.refused[`${op} ${code}`] ?? 0) + 1
    if (!EXPECTED.includes(code)) this.wrong.push(`${this.user}: ${op} failed: ${code} ${message}`)
  }

  /** The violations. The worker must be stopped or dead; others may go on. */
  check(): string[] {
    const seen = new Set<string>()
    const wrong = this.wrong.splice(0)
    const whole = (what: string, cid: string) => {
      for (const problem of checkDag(this.prefix, cid, seen)) {
        wrong.push(`${this.user}: ${what} was reported done: ${problem}`)
      }
    }
    for (const [prog, cids] of this.#pins) {
      for (const cid of cids ?? []) {
        const link = join(this.prefix, 'pins', 'per-user', this.user, prog, cid)
        if (targetOf(link) === undefined) wrong.push(`${link} was reported done and is not there`)
        whole(`the pin ${prog}`, cid)
      }
    }
    if (this.#held !== undefined) whole('an add that is still protected', this.#held)
    if (!this.#registry.inDoubt && this.#registry.root !== undefined) {
      const root = basename(targetOf(this.registryLink) ?? 'nothing')
      if (root !== this.#registry.root) wrong.push(`${this.registryLink} leads to ${root}`)
      whole('a publication', root)
    }
    this.#checkProfile(wrong, whole)
    return wrong
  }

  #checkProfile(wrong: string[], whole: (what: string, cid: string) => void): void {
    const directory = join(this.prefix, 'profiles', 'per-user', this.user)
    const current = targetOf(join(directory, 'current'))
    if (!this.#profileInDoubt && current !== (this.#current && `generations/${this.#current}`)) {
      wrong.push(`${directory}/current leads to ${current}, but ${this.#current} was reported`)
    }
    const there = numbersIn(join(directory, 'generations'))
    const newer = (number: number) =>
      new Set([...there, ...this.#generations.keys()].filter((other) => other > number)).size
    for (const [number, cid] of this.#generations) {
      const link = join(directory, 'generations', String(number))
      const target = targetOf(link)
      const mayBeGone = newer(number) >= KEPT && current !== `generations/${number}`
      if (target === undefined && mayBeGone) this.#generations.delete(number)
      else if (basename(target ?? '') !== cid)
        wrong.push(`${link} leads to ${target}, but ${cid} was reported`)
      // One that may be deleted now may have been when it was looked at.
      else if (!mayBeGone) whole(`generation ${number}`, cid)
    }
  }
}

function targetOf(link: string): string | undefined {
  try {
    return readlinkSync(link)
  } catch {
    return undefined
  }
}

function numbersIn(directory: string): number[] {
  try {
    return readdirSync(directory)
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
  } catch {
    return []
  }
}
