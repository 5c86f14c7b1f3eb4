// kill -9 at random instants, under a load of everything at once: processes that
// install, switch, roll back, import, pin, hold, publish; collectors with and
// without policies; `pkg` itself; the daemon; the mount server. After each kill an
// independent checker looks whether what was reported done is there and whole.
// KILLS says how many, SEED repeats a run (the choices, not the instants).

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, lutimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { userName } from '../../src/paths.ts'
import { addPin } from '../../src/pins/pins.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { exportCar } from '../../src/store/car/write.ts'
import { importTree } from '../../src/store/import/import-tree.ts'
import { Store } from '../../src/store/store.ts'
import { outcome } from '../cli/harness.ts'
import { NO_MOUNT } from '../e2e/machine.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { checkBlockFiles, checkPrefix, leftovers } from './checker.ts'
import { treeFiles, writeProgram, writeTree } from './content.ts'
import { KillLoad, killByPidFile } from './kill-load.ts'
import { buildProduct, type Product } from './product.ts'
import { pickerOf, SEED } from './random.ts'
import type { ReadableTree } from './reader.ts'
import { readableTree, startReader } from './readers.ts'

const KILLS = Number(process.env.KILLS ?? 2000)
const TREES = 24
const PROGRAMS = 6
/** Trees that stay pinned, for those who read through the mount. */
const CONSTANT = 6
/** The longest a command is let run before it is killed, in ms. */
const COMMAND_MS = 900
/** A leftover this old, in s, is nobody's for the collector. */
const OLD_S = 2 * 60 * 60

type Box = { product: Product; prefix: string; work: string; env: NodeJS.ProcessEnv }

async function makeBox(t: TestContext): Promise<Box> {
  let stop: () => unknown = () => {}
  t.after(() => stop())
  const product = await buildProduct(t)
  const work = await temporaryDirectory(t)
  const prefix = join(work, 'prefix')
  const env = { ...process.env, HOME: work, PKG_PREFIX: prefix, SHELL: '/bin/sh', CI: '1' }
  const box = { product, prefix, work, env }
  stop = () => pkg(box, ['daemon', 'stop', '--force'])
  const made = await pkg(box, ['init'])
  assert.equal(made.status, 0, made.stderr)
  return box
}

const pkg = ({ product, work, env }: Box, words: string[]) =>
  outcome([product.launcher, ...words], { cwd: work, env })

/** Trees, their CARs and programs; gives the trees that stay pinned. */
async function makeContent({ prefix, work }: Box): Promise<ReadableTree[]> {
  const store = Store.open(prefix)
  const readable: ReadableTree[] = []
  for (let index = 0; index < TREES; index++) {
    const files = treeFiles(index)
    const directory = writeTree(join(work, 'trees', `t${index}`), files)
    await withAdd(store, async (add) => {
      const { cid } = await importTree(add, directory)
      await add.commit([cid])
      const car = createWriteStream(`${directory}.car`)
      for await (const piece of exportCar(store, cid)) car.write(piece)
      car.end()
      await once(car, 'finish')
      if (index >= CONSTANT) return
      await addPin(store, { prog: `constant${index}`, cid, user: 'constant' })
      readable.push(readableTree(`t${index}`, cid, files))
    })
  }
  for (let n = 0; n < PROGRAMS; n++) {
    for (const version of ['1.0.0', '2.0.0']) {
      writeProgram(join(work, 'programs', `p${n}-${version}`), `p${n}`, version)
    }
  }
  store.close()
  return readable
}

/** `pkg` by the launcher, one command after the other, each killed unless it ends soon enough. */
function commands({ product, prefix, work, env }: Box) {
  return async (load: KillLoad) => {
    const ledger = load.ledger(userName())
    const pick = pickerOf(() => load.random())
    const program = () => `p${Math.floor(load.random() * PROGRAMS)}`
    const kinds = [
      () => {
        const [name, version] = [program(), pick(['1.0.0', '2.0.0'])]
        const words = ['install', join(work, 'programs', `${name}-${version}`), '--as', `${name}@${version}`]
        return { words, line: { op: 'profile', what: name } as const }
      },
      () => ({ words: ['remove', program()], line: { op: 'profile', what: 'remove' } as const }),
      () => ({ words: ['rollback'], line: { op: 'profile', what: 'rollback' } as const }),
      () => ({ words: ['gc', '--keep', '3'], line: { op: 'collect', what: 'keep' } as const }),
      () => {
        const key = `t${Math.floor(load.random() * TREES)}`
        const words = ['store', 'add', join(work, 'trees', key), '--pin', key]
        return { words, line: { op: 'pin', key } as const }
      },
      () => ({ words: ['daemon', 'start'], line: undefined }),
    ]
    while (!load.ended) {
      const { words, line } = pick(kinds)()
      if (line) ledger.take([{ ...line, state: 'intent' }])
      const child = spawn(product.launcher, [...words, '--json'], {
        cwd: work,
        env,
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      let said = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text
      })
      const closed = once(child, 'close') as Promise<[number | null]>
      await Promise.race([closed, delay(150 + load.random() * COMMAND_MS)])
      child.kill('SIGKILL')
      const [status] = await closed
      if (line && status === 0) ledger.take([{ ...line, ...JSON.parse(said), state: 'done' }])
      ledger.killed()
      if (status === null) load.killed('pkg', ledger)
      // Now and then: they serve all the others.
      if (load.random() < 0.1 && killByPidFile(join(prefix, 'var', 'daemon.pid'))) load.killed('daemon')
      if (load.random() < 0.1 && killByPidFile(join(prefix, 'var', 'mount.pid'))) load.killed('mount server')
    }
  }
}

type Storm = { box: Box; kills: number; collectorEnv?: NodeJS.ProcessEnv }

async function storm(t: TestContext, { box, kills, collectorEnv = {} }: Storm) {
  const { prefix, work, product, env } = box
  const trees = await makeContent(box)
  const load = new KillLoad({
    ...{ prefix, work, product, env, collectorEnv, kills, seed: SEED },
    ...{ trees: TREES, programs: PROGRAMS, loaders: 3, collectors: 2 },
  })
  const endReading = startReader(join(work, 'reader.json'), { prefix, via: 'mount', trees, seed: SEED })
  t.after(endReading)
  const begun = performance.now()
  const { wrong, ...figures } = await load.run([commands(box)])
  const seconds = Math.round((performance.now() - begun) / 1000)
  const read = await endReading()
  t.diagnostic(JSON.stringify({ seed: SEED, seconds, ...figures, read: read.outcomes }))
  assert.deepEqual(read.wrong, [])
  return { wrong, figures, read: read.outcomes, kills: load.total }
}

test(`${KILLS} kills, seed ${SEED}: no violation`, { skip: NO_MOUNT, timeout: 7_200_000 }, async (t) => {
  const box = await makeBox(t)
  const { prefix } = box
  const { wrong, figures, read, kills } = await storm(t, { box, kills: KILLS })
  assert.deepEqual(wrong, [])
  assert.ok(figures.blocksGone > 0 && (read.right ?? 0) > kills, 'there was something at stake')

  // What was killed left little behind, and that goes when it is old.
  assert.ok(figures.mostLeftovers < 2 * kills, `${figures.mostLeftovers} leftovers`)
  for (const path of leftovers(prefix)) {
    const old = Date.now() / 1000 - OLD_S
    lutimesSync(path, old, old)
  }
  assert.equal((await pkg(box, ['gc'])).status, 0)
  assert.deepEqual(leftovers(prefix), [])
  assert.deepEqual([...checkPrefix(prefix), ...checkBlockFiles(prefix)], [])
  assert.equal((await pkg(box, ['daemon', 'start'])).status, 0)
  assert.equal((await pkg(box, ['store', 'verify'])).status, 0)
})

test('the same load catches a collector that leaves out its re-check', {
  skip: NO_MOUNT,
  timeout: 3_600_000,
}, async (t) => {
  const box = await makeBox(t)
  // Small batches: what is decided at the mark is carried out for longer.
  writeFileSync(join(box.prefix, 'config.json'), JSON.stringify({ 'gc.batch': 4 }))
  const collectorEnv = { PKG_TEST_BREAK: 'collector-recheck' }
  const { wrong } = await storm(t, { box, kills: Math.max(KILLS, 500), collectorEnv })
  assert.match(wrong.join('\n'), /is missing/)
})
