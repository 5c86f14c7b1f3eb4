// Somebody who may write the directory that a tree is copied into changes what
// lies there while it is copied: nothing is written anywhere else.

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { CID } from '../../src/store/cid.ts'
import { exportTree } from '../../src/store/export.ts'
import type { Store } from '../../src/store/store.ts'
import { Dag } from '../fixtures/dag.ts'
import { putDag, temporaryStore } from '../helpers/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

async function scene(t: TestContext): Promise<{ store: Store; root: CID; place: string; victim: string }> {
  const store = await temporaryStore(t)
  const dag = new Dag()
  const leaf = dag.leaf('pwned', { mode: 0o755, mtime: { seconds: 7 } })
  const inner = dag.directory(
    { a: leaf, b: leaf, l: dag.symlink('/etc'), c: dag.directory({ a: leaf }) },
    { mtime: { seconds: 7 } },
  )
  const root = dag.directory({ a: leaf, sub: inner, z: leaf, bin: inner })
  await putDag(store, dag)
  const directory = await temporaryDirectory(t)
  const [place, victim] = [join(directory, 'place'), join(directory, 'victim')]
  for (const one of [place, victim, join(victim, 'sub')]) mkdirSync(one)
  writeFileSync(join(victim, 'mine'), 'mine')
  return { store, root, place, victim }
}

/** Where the copy grows: the only entry of the directory. */
const growing = (place: string) =>
  join(place, readdirSync(place).find((name) => name.startsWith('.out.')) ?? 'none')

const ATTACKS: Record<string, (place: string, victim: string) => void> = {
  'the copy itself': (place, victim) => swap(growing(place), victim),
  'a directory of the copy': (place, victim) => swap(join(growing(place), 'sub'), victim),
  'another one': (place, victim) => swap(join(growing(place), 'bin'), victim),
}

function swap(path: string, victim: string): void {
  if (!existsSync(path) || readdirSync(path).length === 0) return
  renameSync(path, join(victim, '..', `away-${readdirSync(join(victim, '..')).length}`))
  symlinkSync(victim, path)
}

for (const [title, attack] of Object.entries(ATTACKS)) {
  test(`${title} is replaced by a symlink at some moment`, async (t) => {
    const { store, root, place, victim } = await scene(t)
    for (let at = 1; at <= 14; at++) {
      const [here, aim] = [join(place, String(at)), join(victim, String(at))]
      for (const one of [here, aim, join(aim, 'sub')]) mkdirSync(one)
      let entries = 0
      const onProgress = () => {
        if (++entries >= at) attack(here, aim)
      }
      await exportTree(store, root, join(here, 'out'), { onProgress }).catch(() => {})
      assert.deepEqual(readdirSync(aim), ['sub'], `after ${at} entries`)
      assert.deepEqual(readdirSync(join(aim, 'sub')), [])
    }
  })
}

test('the directory around is replaced by a symlink: the copy ends in the one that was named', async (t) => {
  const { store, root, place, victim } = await scene(t)
  let done = false
  const onProgress = () => {
    if (!done) swap(place, victim)
    done = true
  }
  await exportTree(store, root, join(place, 'out'), { onProgress }).catch(() => {})
  assert.deepEqual(readdirSync(victim).sort(), ['mine', 'sub'])
})
