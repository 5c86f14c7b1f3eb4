// Reads the roots that are symlinks: pins, auto pins and generations.
// What cannot be read is never passed over in silence: it lands in `unreadable`
// (invariant 5). Reads only our own directories, and the users' links that auto
// pins name; never anything below the mount.
//
// Where root reads what another user made, that user shall neither stop everybody's
// collections nor make them long, and have nothing read that is not theirs: only
// directories of their own are read, so many entries of them, and of links that
// lead nowhere what is on record is kept.

import { readdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { readConfig } from '../config.ts'
import { isErrno } from '../errors.ts'
import { type Entry, firstEntries, withOwned } from '../files/owned-directory.ts'
import type { PrefixPaths } from '../paths.ts'
import { tryParseCid } from '../store/cid.ts'
import { isTrulyGone, readRecord } from './auto-record.ts'
import { isOnAny, type MountLine, mountsToAvoid, readMounts, whyAvoided } from './mount-table.ts'
import { AUTO, generationOf, otherName, UNFINISHED } from './names.ts'
import { areOwnLinks, isForeign, ownerOfUserDirectory } from './owners.ts'
import { type Resolution, resolveLink, resolveOwnLink, storeSpellings } from './resolve-link.ts'
import type { GoneAutoPin, Root, UnreadableRoot } from './root.ts'

/** How often both names of an auto pin are looked at: a collection renames each twice. */
const NAME_TRIES = 5

export type LinkRoots = {
  roots: Root[]
  unreadable: UnreadableRoot[]
  /** auto pins that may be dropped */
  gone: GoneAutoPin[]
  /** every directory of ours that was read: flushing them makes the deletion of links last */
  directories: string[]
}

type Places = Pick<PrefixPaths, 'root' | 'config' | 'store' | 'pinsPerUser' | 'profilesPerUser'>

/** All links of all users, or of one, as they are now. */
export function readLinks(paths: Places, { user }: { user?: string | undefined } = {}): LinkRoots {
  return new LinkReader(storeSpellings(paths)).read(paths, user)
}

class LinkReader {
  readonly #stores: readonly string[]
  readonly #found: LinkRoots = { roots: [], unreadable: [], gone: [], directories: [] }
  readonly #mounts: MountLine[] = readMounts()
  /** where nobody knows whether an answer will come */
  readonly #avoid = mountsToAvoid(this.#mounts)
  /** of the directories that are read now: the other user whose they are, where root reads them */
  #foreign: number | undefined
  /** entries that are still read of that user's */
  #left = 0

  constructor(stores: readonly string[]) {
    this.#stores = stores
  }

  read(paths: Places, only?: string): LinkRoots {
    for (const [user, directory] of this.#directories(paths.pinsPerUser, { required: true })) {
      if (only !== undefined && user !== only) continue
      this.#as(directory, paths, () => {
        for (const [prog, pins] of this.#directories(directory)) this.#pins(user, prog, pins)
      })
    }
    for (const [user, profile] of this.#directories(paths.profilesPerUser, { required: true })) {
      if (only !== undefined && user !== only) continue
      this.#as(profile, paths, () => this.#profile(user, profile))
    }
    return this.#found
  }

  /** Reads with the caution that the owner of this user's directory calls for. */
  #as(directory: string, paths: Places, read: () => void): void {
    if (isOnAny(this.#avoid, directory)) {
      this.#found.unreadable.push({ path: directory, errno: whyAvoided(directory), foreign: true })
      return
    }
    const owner = ownerOfUserDirectory(directory)
    this.#foreign = isForeign(owner) ? owner : undefined
    if (this.#foreign !== undefined) this.#left = readConfig(paths)['users.maxLinks']
    read()
    this.#foreign = undefined
  }

  #pins(user: string, prog: string, directory: string): void {
    for (const entry of this.#entries(directory)) {
      const path = join(directory, entry.name)
      if (entry.isSymbolicLink()) {
        const found = resolveOwnLink(directory, entry.name, this.#stores, this.#avoid)
        const named = this.#foreign !== undefined && found.state !== 'store' && tryParseCid(entry.name)
        // A pin is called what it keeps: that is on record, wherever its owner makes it lead.
        const kept = named ? { state: 'store' as const, cid: named, via: [path] } : found
        this.#keep({ kind: 'pin', name: prog, user, path }, kept)
      } else if (entry.name === AUTO && entry.isDirectory()) {
        for (const auto of this.#entries(path)) {
          if (auto.isSymbolicLink()) this.#autoPin(user, prog, join(path, auto.name))
        }
      }
    }
  }

  #autoPin(user: string, prog: string, autoPin: string): void {
    const found = this.#eitherName(autoPin)
    if (found === undefined) return
    const path = found.via[1] ?? ('path' in found ? found.path : autoPin)
    const root = { kind: 'auto' as const, name: prog, user, path, autoPin }
    // By others' links nobody keeps anything, nor has root tell where they lead.
    if (this.#foreign !== undefined && !areOwnLinks(found.via, this.#foreign)) return
    if (found.state === 'store') {
      const generation = generationOf(path)
      this.#found.roots.push({ ...root, cid: found.cid, via: found.via.slice(1), ...generation })
      if (generation) this.#markCurrent(generation.profile, this.#found.roots.slice(-1))
      return
    }
    if (found.state === 'elsewhere') return
    const record = readRecord(autoPin)
    if (found.state === 'gone' && isTrulyGone(record, this.#mounts)) {
      this.#found.gone.push({ autoPin, path })
      return
    }
    const errno = found.state === 'gone' ? 'ENOENT' : found.errno
    this.#doubt(found.path, errno, record?.cid)
    if (record) this.#found.roots.push({ ...root, cid: record.cid, via: [path], remembered: true })
  }

  /**
   * Where an auto pin leads; undefined when it was removed since the names were read. A collector that looks whether
   * to drop it may have renamed it since, or given it back, and again while we look.
   */
  #eitherName(autoPin: string): Resolution | undefined {
    for (let tries = 0; tries < NAME_TRIES; tries++) {
      for (const name of [autoPin, otherName(autoPin)]) {
        const found = resolveLink(name, this.#stores, this.#avoid)
        if (found.via.length > 0 || found.state !== 'gone') return found
      }
    }
    return undefined
  }

  #profile(user: string, profile: string): void {
    const own: Root[] = []
    // Before the generations, of which there may be too many: `current` is among these.
    const beside = this.#entries(profile)
    for (const entry of this.#entries(join(profile, 'generations'))) {
      if (!entry.isSymbolicLink()) continue
      const path = join(profile, 'generations', entry.name)
      const number = generationOf(path)?.number
      const root = { kind: 'generation' as const, name: user, user, path, profile, ...(number && { number }) }
      const kept = this.#keep(
        root,
        resolveOwnLink(join(profile, 'generations'), entry.name, this.#stores, this.#avoid),
      )
      if (kept) own.push(kept)
    }
    // `current`, and whatever else leads to the store without being a generation.
    for (const entry of beside) {
      if (!entry.isSymbolicLink()) continue
      const path = join(profile, entry.name)
      const found = resolveLink(path, this.#stores, this.#avoid)
      const passes = found.via.slice(1).some((via) => own.some((root) => root.path === via))
      if (!passes) this.#keep({ kind: 'generation', name: user, user, path, profile }, found)
    }
    this.#markCurrent(profile, own)
  }

  #markCurrent(profile: string, generations: readonly Root[]): void {
    const { via } = resolveLink(join(profile, 'current'), this.#stores, this.#avoid)
    for (const root of generations) root.current = via.includes(root.path)
  }

  #keep(root: Omit<Root, 'cid' | 'via'>, found: Resolution): Root | undefined {
    if (found.state === 'unreadable') this.#doubt(found.path, found.errno)
    if (found.state !== 'store') return undefined
    const kept = { ...root, cid: found.cid, via: found.via }
    this.#found.roots.push(kept)
    return kept
  }

  /** The directories in one, by name; a symlink to a directory stands for it, as its owner may have moved it. */
  *#directories(given: string, { required = false } = {}): Generator<[name: string, path: string]> {
    // Physical paths throughout: a link that passes over another one is known by them.
    const directory = required ? this.#physical(given) : given
    for (const entry of this.#entries(directory, { required })) {
      const path = join(directory, entry.name)
      if (entry.isDirectory()) yield [entry.name, path]
      if (!entry.isSymbolicLink()) continue
      const found = resolveLink(path, this.#stores, this.#avoid)
      if (found.state === 'elsewhere') yield [entry.name, found.path]
      else if (found.state === 'gone') this.#doubt(found.path, 'ENOENT')
      else this.#keep({ kind: 'pin', name: entry.name, path }, found)
    }
  }

  /** What cannot be resolved cannot be read either: reading it will say why. */
  #physical(directory: string): string {
    try {
      return realpathSync(directory)
    } catch (error) {
      if (error instanceof Error && 'code' in error) return directory
      throw error
    }
  }

  /**
   * What a directory holds. One that was removed meanwhile held nothing, but
   * those that every prefix has must be there: without them we are looking at a
   * prefix that is not mounted, or half copied.
   */
  #entries(directory: string, { required = false } = {}): Entry[] {
    try {
      const entries =
        this.#foreign === undefined || required
          ? readdirSync(directory, { withFileTypes: true })
          : this.#foreignEntries(directory, this.#foreign)
      if (entries === undefined) return []
      this.#found.directories.push(directory)
      return entries.filter((entry) => !entry.name.startsWith(UNFINISHED))
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error)) throw error
      if (isErrno(error, 'ENOENT') && !required) return []
      this.#doubt(directory, String(error.code))
      return []
    }
  }

  /** Undefined for what is not a directory of that user's, or leads to none. */
  #foreignEntries(directory: string, uid: number): Entry[] | undefined {
    const read = (place: string, owner: number) =>
      isOnAny(this.#avoid, place)
        ? undefined
        : withOwned(place, owner, (path) => firstEntries(path, this.#left))
    const led = resolveLink(directory, this.#stores, this.#avoid)
    // One of root's can only have been put there by root; but a link to one by anybody.
    const found =
      read(directory, uid) ??
      read(directory, 0) ??
      (led.state === 'elsewhere' ? read(led.path, uid) : undefined)
    if (found === undefined) {
      if (led.state !== 'gone') this.#doubt(directory, led.state === 'unreadable' ? led.errno : 'EACCES')
      return undefined
    }
    this.#left -= found.entries.length
    if (found.more) this.#doubt(directory, 'E2BIG')
    return found.entries
  }

  #doubt(path: string, errno: string, cid?: UnreadableRoot['cid']): void {
    const foreign = this.#foreign !== undefined
    this.#found.unreadable.push({ path, errno, ...(cid && { cid }), ...(foreign && { foreign }) })
  }
}
