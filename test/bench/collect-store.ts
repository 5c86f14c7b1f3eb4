// A store for measuring collections: packages of raw leaves below directories, most
// of them kept by pins or by generations, the others dead. Block files are written
// directly and index rows in bulk: adding them in earnest would take as long again.

import { closeSync, mkdirSync, openSync, symlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Block } from '../../src/store/add/writer.ts'
import { blockFile } from '../../src/store/blocks/shards.ts'
import { RAW } from '../../src/store/cid.ts'
import type { IndexNode } from '../../src/store/links/index-db.ts'
import { packedLinksOf } from '../../src/store/links/links.ts'
import { Store } from '../../src/store/store.ts'
import { Dag } from '../fixtures/dag.ts'

/** Blocks of a package: 13 leaves to a directory, as in a tree of real programs. */
const LEAVES_A_DIRECTORY = 13
const DIRECTORIES = 36
export const PACKAGE_BLOCKS = DIRECTORIES * (LEAVES_A_DIRECTORY + 1) + 1
/** A third of the living packages are pinned, the others are in generations. */
const PINNED = 1 / 3
const PACKAGES_A_GENERATION = 20
/** Nodes whose rows go into the index in one transaction. */
const ROWS = 4096

export type CollectStore = { prefix: string; blocks: number; dead: number }

/** Makes a store of about so many blocks, of which about `dead` are. Gives what there are. */
export function makeCollectStore(prefix: string, wanted: { blocks: number; dead: number }): CollectStore {
  const packages = Math.round(wanted.blocks / PACKAGE_BLOCKS)
  const dead = Math.max(1, Math.round(wanted.dead / PACKAGE_BLOCKS))
  const store = Store.open(prefix)
  const filler = new Filler(store)
  const kept = Array.from({ length: packages - dead }, (_, index) => filler.package(`kept ${index}`))
  const pinned = kept.slice(0, Math.round(kept.length * PINNED))
  for (const [index, cid] of pinned.entries()) {
    link(store, join(store.paths.pinsPerUser, 'bench', `pin-${index}`), `${cid}`, `${cid}`)
  }
  const installed = kept.slice(pinned.length)
  const profile = join(store.paths.profilesPerUser, 'bench')
  let generations = 0
  for (let at = 0; at < installed.length; at += PACKAGES_A_GENERATION / 4) {
    const packed = installed.slice(at, at + PACKAGES_A_GENERATION)
    const dag = new Dag()
    const all = dag.directory(Object.fromEntries(packed.map((cid, index) => [`package-${index}`, cid])))
    filler.write(dag)
    link(store, join(profile, 'generations'), String(++generations), `${all}`)
  }
  symlinkSync(`generations/${generations}`, join(profile, 'current'))
  filler.flush()
  const deadBlocks = addDead(store, dead)
  store.close()
  return { prefix, blocks: filler.blocks + deadBlocks, dead: deadBlocks }
}

/** Packages without a root, the same ones every time; gives how many blocks. */
export function addDead(store: Store, packages: number): number {
  const filler = new Filler(store)
  for (let index = 0; index < packages; index++) filler.package(`dead ${index}`)
  filler.flush()
  return filler.blocks
}

class Filler {
  blocks = 0
  readonly #store: Store
  #rows: IndexNode[] = []

  constructor(store: Store) {
    this.#store = store
  }

  package(name: string) {
    const dag = new Dag()
    const directories = Array.from({ length: DIRECTORIES }, (_, index) => {
      const leaves = Array.from({ length: LEAVES_A_DIRECTORY }, (_, leaf) => {
        return [`file-${leaf}`, dag.raw(`${name}, directory ${index}, file ${leaf}\n`.repeat(8))] as const
      })
      return [`directory-${index}`, dag.directory(Object.fromEntries(leaves))] as const
    })
    const root = dag.directory(Object.fromEntries(directories))
    this.write(dag)
    this.#store.index.markComplete([root])
    return root
  }

  write(dag: Dag): void {
    for (const { cid, bytes } of dag.blocks.values() as Iterable<Block>) {
      this.blocks += 1
      const fd = openSync(blockFile(this.#store.paths.blocks, cid), 'w', 0o444)
      writeSync(fd, bytes)
      closeSync(fd)
      if (cid.code !== RAW) this.#rows.push({ cid, packed: packedLinksOf(cid, bytes) })
    }
    if (this.#rows.length >= ROWS) this.flush()
  }

  flush(): void {
    this.#store.index.put(this.#rows)
    this.#rows = []
  }
}

function link(store: Store, directory: string, name: string, cid: string): void {
  mkdirSync(directory, { recursive: true })
  symlinkSync(join(store.paths.store, cid), join(directory, name))
}
