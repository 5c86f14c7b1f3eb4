// All roots together, in the order that makes a hand-over safe: temp pins first,
// then links, then processes. Whoever moves a DAG from a temp pin to a link, or
// starts a program from it, lets go of the first only when the second is there:
// read in this order, one of the two is seen.

import type { PrefixPaths } from '../paths.ts'
import { readTempPins, type TempPinProgress } from '../store/add/temp-pin.ts'
import type { BlockKey } from '../store/cid.ts'
import type { Store } from '../store/store.ts'
import { findHungMounts } from './hung-mounts.ts'
import { type LinkRoots, readLinks } from './links.ts'
import { type KnownStuck, type ProcessRoots, readProcesses } from './processes.ts'
import { storeSpellings } from './resolve-link.ts'
import type { Root } from './root.ts'

export type TempRoots = {
  /** DAGs that living processes protect */
  roots: Root[]
  /** blocks that they protect one by one, as they add them */
  blocks: BlockKey[]
  /** living processes with a temp pin */
  living: number
}

/** Everything but processes. */
export type Claims = { temp: TempRoots; links: LinkRoots }

/** Reads roots, again and again; of temp pins only what was appended since the last time. */
export class RootReader {
  readonly #paths: PrefixPaths
  readonly #progress: TempPinProgress = new Map()
  readonly #stuck: KnownStuck = new Set()

  constructor(paths: PrefixPaths) {
    this.#paths = paths
  }

  /** `between` runs when the temp pins are read and the links are not. */
  async claims(between?: () => Promise<void>): Promise<Claims> {
    await findHungMounts(this.#paths)
    const temp = this.#temp()
    await between?.()
    return { temp, links: readLinks(this.#paths) }
  }

  /** Links alone: who makes one by hand needs no temp pin. */
  links(): LinkRoots {
    return readLinks(this.#paths)
  }

  processes(): Promise<ProcessRoots> {
    return readProcesses(storeSpellings(this.#paths), { known: this.#stuck })
  }

  #temp(): TempRoots {
    const found: TempRoots = { roots: [], blocks: [], living: 0 }
    for (const pin of readTempPins(this.#paths, this.#progress)) {
      if (!pin.alive) continue
      found.living += 1
      for (const key of pin.blocks) found.blocks.push(key)
      for (const cid of pin.dags) {
        found.roots.push({ kind: 'temp', cid, name: `process ${pin.pid}`, path: pin.file, via: [] })
      }
    }
    return found
  }
}

/** Every root of the store as it is now; those that cannot be read are in planCollection's answer. */
export async function roots(store: Pick<Store, 'paths'>): Promise<Root[]> {
  const reader = new RootReader(store.paths)
  const { temp, links } = await reader.claims()
  return [...links.roots, ...temp.roots, ...(await reader.processes()).roots]
}
