// What takes the room: every package, generation, profile and pin of a store, what
// each would free if it went, and what all of them save by sharing blocks.

import { lstatSync } from 'node:fs'
import { type Amount, addAmount, noAmount } from '../collector/amount.ts'
import { type CheckoutUsage, measureCheckouts } from '../collector/checkout-usage.ts'
import { measureUsage, type Owner, type Part, type Usage, type UsageOptions } from '../collector/usage.ts'
import type { Root, UnreadableRoot } from '../pins/root.ts'
import { RootReader } from '../pins/roots.ts'
import { blockKey, type CID } from '../store/cid.ts'
import type { Store } from '../store/store.ts'
import { tryReadEnvironment } from './environment.ts'
import type { InstalledPackage } from './installed.ts'

/** Bytes of content: lengths of block files. `unique` + `shared` = `total`. */
export type Bytes = {
  blocks: number
  total: number
  /** what a collection would free if this one went, and nothing else did */
  unique: number
  shared: number
}

export type PackageUsage = Bytes & {
  name: string
  version: string
  cid: CID
  /** how many generations hold it, of how many profiles */
  generations: number
  profiles: number
  /** a pin keeps it as well: `unique` counts what goes when all generations and those pins let go of it */
  pinned: boolean
}

export type GenerationUsage = Bytes & {
  /** its directory, and what it is called: the user's name, or the directory where it lies outside the prefix */
  profile: string
  name: string
  number: number
  current: boolean
  created: Date | undefined
  cid: CID
}

export type ProfileUsage = Bytes & { profile: string; name: string; generations: number }

/** A pin, an auto pin, or another link that keeps a DAG. */
export type PinUsage = Bytes & {
  kind: Root['kind']
  name: string
  user: string | undefined
  path: string
  cid: CID
}

export type DiskUsage = {
  packages: PackageUsage[]
  generations: GenerationUsage[]
  profiles: ProfileUsage[]
  pins: PinUsage[]
  /** what running programs and adds keep */
  inUse: Bytes
  /** what is on the disk because of roots, and what a collection would free; together, all blocks that there are */
  kept: Amount & { roots: number }
  dead: Amount
  total: Amount
  /** the real trees of checkouts, beside the blocks */
  checkouts: CheckoutUsage
  /** bytes on the disk: all blocks, and all checkouts */
  onDisk: number
  /** bytes of content that the DAGs of all roots would take if each had its own copy; the same DAG is one, however many roots name it */
  copies: number
  /** those, by what they take together: 1 where no two of them share a block */
  dedupRatio: number
  unreadable: UnreadableRoot[]
  /** nodes that are not here or damaged: what lies below them is not known to be kept */
  incomplete: CID[]
  /** how many blocks these are; `incomplete` has the first hundred of them */
  lost: number
}

/** Measures all of it, each list with what would free most first. One walk, whatever the number of roots. Changes nothing. */
export async function diskUsage(store: Store, options: UsageOptions = {}): Promise<DiskUsage> {
  const reader = new RootReader(store.paths)
  const { temp, links } = await reader.claims()
  const lasting = links.roots
  const passing = [...temp.roots, ...(await reader.processes()).roots]
  const users = [...new Map(passing.map(({ cid }) => [blockKey(cid), cid])).values()]
  const owners: Owner[] = [
    ...lasting.map(ownerOf),
    // One each: a package that runs is not kept by another one that does.
    ...users.map((cid) => ({ cids: [cid], group: IN_USE })),
    { cids: [], blocks: temp.blocks, group: IN_USE },
  ]
  const packages = findPackages(store, lasting)
  const parts = packages.map(
    ({ cid, heldBy }): Part => ({ cid, heldBy: [...heldBy, ...placesOf(owners, cid)] }),
  )
  const usage = await measureUsage(store, { owners, parts }, options)
  const measured = lasting.map((root, place) => ({ root, usage: usage.owners[place]! }))
  const { kept, dead } = usage
  const total = noAmount()
  for (const amount of [kept, dead]) addAmount(total, amount)
  const checkouts = await measureCheckouts(store.paths, options)
  // What is being added block by block is no DAG yet: it is in neither of the two.
  const dags = kept.bytes - (usage.owners.at(-1)?.unique.bytes ?? 0)
  const distinct = new Map(
    owners.flatMap(({ cids }, place) => cids.map((cid) => [blockKey(cid), usage.owners[place]!])),
  )
  const copies = [...distinct.values()].reduce((sum, { total }) => sum + total.bytes, 0)
  return {
    packages: sort(
      packages.map(({ heldBy, ...one }, index) => ({
        ...one,
        generations: heldBy.length,
        profiles: new Set(heldBy.map((place) => lasting[place]?.profile)).size,
        pinned: lasting.some((root) => root.number === undefined && blockKey(root.cid) === blockKey(one.cid)),
        ...bytes(usage.parts[index]!),
      })),
    ),
    generations: sort(measured.flatMap(generationUsage)),
    profiles: sort(
      Array.from(
        Map.groupBy(lasting.filter(isGeneration), ({ profile }) => profile),
        ([profile, its]) => ({
          profile,
          name: profileName(its[0] as GenerationRoot),
          generations: its.length,
          ...bytes(usage.groups.get(profile) ?? NOTHING),
        }),
      ),
    ),
    pins: sort(
      measured.flatMap(({ root, usage }) => {
        const { kind, name, user, path, cid } = root
        return isGeneration(root) ? [] : [{ kind, name, user, path, cid, ...bytes(usage) }]
      }),
    ),
    inUse: bytes(usage.groups.get(IN_USE) ?? NOTHING),
    kept: { ...kept, roots: lasting.length + users.length },
    dead,
    total,
    checkouts,
    onDisk: total.diskBytes + checkouts.diskBytes,
    copies,
    dedupRatio: dags === 0 ? 1 : copies / dags,
    unreadable: links.unreadable,
    incomplete: usage.lost.cids,
    lost: usage.lost.blocks,
  }
}

/** The group of what is used now; profiles are named by absolute paths. */
const IN_USE = 'in use'

const NOTHING: Usage = { total: noAmount(), unique: noAmount() }

type GenerationRoot = Root & { profile: string; number: number }

function isGeneration(root: Root): root is GenerationRoot {
  return root.profile !== undefined && root.number !== undefined
}

function profileName({ kind, user, profile }: GenerationRoot): string {
  return (kind === 'generation' ? user : undefined) ?? profile
}

function ownerOf(root: Root): Owner {
  return { cids: [root.cid], ...(isGeneration(root) && { group: root.profile }) }
}

function placesOf(owners: readonly Owner[], cid: CID): number[] {
  const key = blockKey(cid)
  return owners.flatMap(({ cids }, place) => (cids.some((one) => blockKey(one) === key) ? [place] : []))
}

type Found = Pick<InstalledPackage, 'name' | 'version' | 'cid'> & { heldBy: number[] }

/** The packages of all generations, and which roots (by their places) are environments that hold them. */
function findPackages(store: Store, roots: readonly Root[]): Found[] {
  const found = new Map<string, Found>()
  const read = new Map<string, InstalledPackage[]>()
  for (const [place, { cid, profile }] of roots.entries()) {
    if (profile === undefined) continue
    const key = blockKey(cid)
    const installed = read.get(key) ?? tryReadEnvironment(store.blocks, cid) ?? []
    read.set(key, installed)
    for (const { name, version, cid: one } of installed) {
      const entry = found.get(blockKey(one)) ?? { name, version, cid: one, heldBy: [] }
      entry.heldBy.push(place)
      found.set(blockKey(one), entry)
    }
  }
  return [...found.values()]
}

function generationUsage({ root, usage }: { root: Root; usage: Usage }): GenerationUsage[] {
  if (!isGeneration(root)) return []
  const { profile, number, current = false, path, cid } = root
  const created = lstatSync(path, { throwIfNoEntry: false })?.mtime
  const name = profileName(root)
  return [{ profile, name, number, current, created, cid, ...bytes(usage) }]
}

function bytes({ total, unique }: Usage): Bytes {
  return {
    blocks: total.blocks,
    total: total.bytes,
    unique: unique.bytes,
    shared: total.bytes - unique.bytes,
  }
}

function sort<T extends Bytes>(all: T[]): T[] {
  return all.sort((a, b) => b.unique - a.unique || b.total - a.total)
}
