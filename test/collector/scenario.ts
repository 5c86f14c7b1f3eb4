// What the tests of pins and the collector share: small DAGs with a name, links
// by hand, and a look at the block files that trusts neither index nor closure.

import { existsSync, mkdirSync, symlinkSync, utimesSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { addPin } from '../../src/pins/pins.ts'
import { withAdd } from '../../src/store/add/add.ts'
import type { CID } from '../../src/store/cid.ts'
import { linksOf } from '../../src/store/links/links.ts'
import type { Store } from '../../src/store/store.ts'
import { Dag } from '../fixtures/dag.ts'

export type Tree = { dag: Dag; root: CID; blocks: number; bytes: number }

/** A directory of two files, one of them of several blocks; another `name` shares none of its blocks. */
export function tree(name: string, leaves = 3): Tree {
  const dag = new Dag()
  const parts = Array.from({ length: leaves }, (_, index) => {
    const text = `${name} part ${index}`
    return { cid: dag.raw(text), size: text.length }
  })
  const root = dag.directory({
    bin: dag.directory({ [name]: dag.file(parts) }),
    readme: dag.raw(`read ${name}`),
  })
  const all = [...dag.blocks.values()]
  return { dag, root, blocks: all.length, bytes: all.reduce((sum, { bytes }) => sum + bytes.length, 0) }
}

/** Adds it, with nothing that keeps it. */
export async function addTree(store: Store, name: string, leaves?: number): Promise<Tree> {
  const made = tree(name, leaves)
  await withAdd(store, async (add) => {
    await add.put([...made.dag.blocks.values()])
    await add.commit([made.root])
  })
  return made
}

export async function pinTree(store: Store, name: string, leaves?: number): Promise<Tree> {
  const made = tree(name, leaves)
  await withAdd(store, async (add) => {
    await add.put([...made.dag.blocks.values()])
    await add.commit([made.root])
    await addPin(store, { prog: name, cid: made.root })
  })
  return made
}

/** The blocks of a DAG that are not there or not right, by the block files alone. */
export function missing(store: Pick<Store, 'blocks'>, root: CID): string[] {
  const stack = [root]
  const gone: string[] = []
  for (let cid = stack.pop(); cid !== undefined; cid = stack.pop()) {
    try {
      stack.push(...linksOf(cid, store.blocks.get(cid)))
    } catch (error) {
      gone.push(`${cid}: ${error}`)
    }
  }
  return gone
}

/** How many blocks of a DAG have their file. */
export function present(store: Pick<Store, 'blocks'>, { dag }: Tree): number {
  return [...dag.blocks.values()].filter(({ cid }) => store.blocks.has(cid)).length
}

/** A symlink at any path, with its directories. */
export function link(target: string, path: string): string {
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(target, path)
  return path
}

/** A generation's link in the prefix, as profiles make them. */
export function generation(store: Store, number: number, cid: CID, user = 'bob'): string {
  const directory = join(store.paths.profilesPerUser, user)
  return link(`../../../../store/${cid}`, join(directory, 'generations', String(number)))
}

export function current(store: Store, number: number, user = 'bob'): void {
  link(`generations/${number}`, join(store.paths.profilesPerUser, user, 'current'))
}

/** Makes the locks of a killed process look as old as they are after ten seconds. */
export function ageLocks(store: Store): void {
  for (const lock of [store.paths.collector, store.paths.pinsLock]) {
    if (existsSync(`${lock}.lock`)) utimesSync(`${lock}.lock`, 0, 0)
  }
}
