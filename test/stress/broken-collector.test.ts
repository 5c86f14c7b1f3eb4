// The checker of the stress tests catches a collector that leaves out its re-check:
// what is claimed and pinned after the mark is lost, and it says so. The same
// collector as it is loses nothing.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { addPin } from '../../src/pins/pins.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { importTree } from '../../src/store/import/import-tree.ts'
import { temporaryStore } from '../helpers/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { checkPrefix } from './checker.ts'
import { treeFiles, writeTree } from './content.ts'

/** Pins what a collector has found dead, between its mark and its deletes; gives what the checker says afterwards. */
async function pinBesideCollector(t: TestContext, env: NodeJS.ProcessEnv): Promise<string[]> {
  const store = await temporaryStore(t)
  const directory = join(await temporaryDirectory(t), 'tree')
  mkdirSync(directory)
  writeTree(directory, treeFiles(1))
  const add = (prog?: string) =>
    withAdd(store, async (session) => {
      const { cid } = await importTree(session, directory)
      await session.commit([cid])
      if (prog !== undefined) await addPin(store, { prog, cid })
    })
  await add()
  const script = join(import.meta.dirname, 'stopped-collector.ts')
  const collector = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', script, store.paths.root],
    { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'inherit'] },
  )
  t.after(() => collector.kill('SIGKILL'))
  const exit = once(collector, 'exit')
  const lines = createInterface({ input: collector.stdout })[Symbol.asyncIterator]()
  assert.equal((await lines.next()).value, 'stopped')
  await add('pinned')
  collector.stdin.write('\n')
  assert.deepEqual((await exit)[0], 0)
  return checkPrefix(store.paths.root)
}

test('a collector without its re-check is caught', async (t) => {
  const wrong = await pinBesideCollector(t, { PKG_TEST_BREAK: 'collector-recheck' })
  assert.match(wrong.join('\n'), /pinned\/bafy\w+: baf\w+ is missing/)
})

test('with its re-check nothing is lost', async (t) => {
  assert.deepEqual(await pinBesideCollector(t, {}), [])
})
