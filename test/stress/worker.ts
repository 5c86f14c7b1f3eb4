// A process of the stress tests: does one operation of the library after the
// other, and journals it, until it is killed. It has pins, a profile and a
// registry of its own, so that whoever kills it can tell what has to be there.
// argv: one JSON object, see `WorkerData`.

import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import type * as Library from '../../src/index.ts'
import { type Entry, JournalWriter, type Line } from './journal.ts'
import { pickerOf, randomOf } from './random.ts'

export type WorkerData = {
  library: string
  prefix: string
  work: string
  user: string
  journal: string
  seed: number
  kind: 'load' | 'collector'
  trees: number
  programs: number
}

/** Of each profile a collector leaves at least so many generations. */
export const KEEP_AT_LEAST = 3
const MOST_PINS = 12

const data = JSON.parse(process.argv[2]!) as WorkerData
const { prefix, work, user, trees, programs } = data
const pkg = (await import(data.library)) as typeof Library
const journal = new JournalWriter(data.journal)
const random = randomOf(data.seed)
const pick = pickerOf(random)
const below = (limit: number) => Math.floor(random() * limit)
const store = pkg.Store.open(prefix)
const profile = pkg.openProfile(store, { user })
const registry = join(work, 'registries', user)
let held: Library.AddSession | undefined

/** Journals an operation; an error that the library gives a code for is an outcome like another. */
async function journaled(line: Line, run: () => Promise<Partial<Entry>>): Promise<void> {
  journal.write({ ...line, state: 'intent' })
  try {
    journal.write({ ...line, ...(await run()), state: 'done' } as Entry)
  } catch (error) {
    const code = error instanceof pkg.PkgError ? error.code : 'INTERNAL'
    journal.write({ ...line, state: 'failed', code, message: `${(error as Error).stack}` })
  }
}

const tree = (index: number) => join(work, 'trees', `t${index}`)
const program = () => ({ name: `p${below(programs)}`, version: pick(['1.0.0', '2.0.0']) })
const programDirectory = ({ name, version }: { name: string; version: string }) =>
  join(work, 'programs', `${name}-${version}`)

function pinTree(): Promise<void> {
  const key = `t${below(trees)}`
  return journaled({ op: 'pin', key }, () =>
    pkg.withAdd(store, async (add) => {
      const { cid } = await pkg.importTree(add, join(work, 'trees', key))
      await add.commit([cid])
      await pkg.addPin(store, { prog: key, cid, user })
      return { cid: String(cid) }
    }),
  )
}

function pinCar(): Promise<void> {
  const key = `t${below(trees)}`
  return journaled({ op: 'pin', key }, () =>
    pkg.withAdd(store, async (add) => {
      const { roots, complete } = await pkg.importCar(add, createReadStream(`${tree(0)}/../${key}.car`))
      await add.commit(complete)
      await pkg.addPin(store, { prog: key, cid: roots[0]!, user })
      return { cid: String(roots[0]) }
    }),
  )
}

async function unpin(): Promise<void> {
  const pins = (await pkg.listPins(store, { user })).filter(({ prog }) => /^t\d+$/.test(prog))
  if (pins.length === 0) return pinTree()
  const { prog } = pick(pins)
  return journaled({ op: 'unpin', key: prog }, async () => {
    await pkg.removePin(store, { prog, user })
    return {}
  })
}

const pinOrUnpin = async () =>
  (await pkg.listPins(store, { user })).length > MOST_PINS ? unpin() : pick([pinTree, pinCar])()

async function hold(): Promise<void> {
  if (held !== undefined) return release()
  await journaled({ op: 'hold' }, async () => {
    const add = new pkg.AddSession(store)
    held = add
    const { cid } = await pkg.importTree(add, tree(below(trees)))
    await add.commit([cid])
    return { cid: String(cid) }
  })
}

function release(): Promise<void> {
  return journaled({ op: 'release' }, async () => {
    held?.close()
    held = undefined
    return {}
  })
}

function changed(what: string, run: () => Promise<Library.ProfileChange | Library.ProfileSwitch>) {
  return journaled({ op: 'profile', what }, async () => {
    const { generation, cid } = await run()
    return { ...(generation !== undefined && { generation }), ...(cid && { cid: String(cid) }) }
  })
}

function install(): Promise<void> {
  const one = program()
  return changed(`install ${one.name}`, () =>
    pkg.installPackages(profile, [programDirectory(one)], { as: `${one.name}@${one.version}` }),
  )
}

function remove(): Promise<void> {
  const installed = pkg.installedPackages(profile)
  if (installed.length === 0) return install()
  const { name } = pick(installed)
  return changed(`remove ${name}`, () => pkg.removePackages(profile, [name]))
}

const rollback = () => changed('rollback', () => pkg.rollback(profile))

function switchOver(): Promise<void> {
  const numbers = pkg.generations(profile).map(({ number }) => number)
  if (numbers.length === 0) return install()
  const number = pick(numbers)
  return changed(`switch ${number}`, () => pkg.switchGeneration(profile, number))
}

function publish(): Promise<void> {
  const one = program()
  return journaled({ op: 'publish', key: one.name }, async () => {
    try {
      pkg.openRegistry(store, registry)
    } catch (error) {
      if (!pkg.hasCode(error, 'BAD_REGISTRY', 'NOT_FOUND')) throw error
      await pkg.createRegistry(store, registry)
    }
    return pkg.withAdd(store, async (add) => {
      let cid: Library.CID | undefined
      await pkg.packDirectory(store, programDirectory(one), {
        as: `${one.name}@${one.version}`,
        keep: async (packed) => {
          cid = packed.cid
          await add.protect(packed.cid)
        },
      })
      const { root } = await pkg.publish(store, registry, cid!, { user })
      return { cid: String(cid), root: String(root) }
    })
  })
}

function collect(): Promise<void> {
  const policy = pick([{}, {}, { keep: KEEP_AT_LEAST }, { keep: KEEP_AT_LEAST + 2, olderThanMs: 1000 }])
  return journaled({ op: 'collect', what: JSON.stringify(policy) }, async () => {
    // Without a grace time: the younger what it deletes, the harder it is.
    const { blocks } = await pkg.runCollection(store, policy, { graceMs: 0 } as object)
    return { blocks }
  })
}

const LOAD = [
  ...[pinOrUnpin, pinOrUnpin, pinOrUnpin, unpin, hold, hold, release],
  ...[install, install, install, remove, rollback, switchOver, publish],
]

console.log('begins')
for (;;) await (data.kind === 'collector' ? collect() : pick(LOAD)())
