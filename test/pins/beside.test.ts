// Readers and removers of pins beside another process that renames and removes in a tight loop: a root is there, or
// it is not, and neither is an error.

import assert from 'node:assert/strict'
import fs, { lstatSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { autoPin } from '../../src/pins/auto-pin.ts'
import { dropRoots } from '../../src/pins/drop.ts'
import { readLinks } from '../../src/pins/links.ts'
import { droppingName, progDirectory } from '../../src/pins/names.ts'
import { addPin, listPins, removePin } from '../../src/pins/pins.ts'
import { addTree, link } from '../collector/scenario.ts'
import { again, MAX_PAUSE_MS } from '../helpers/again.ts'
import { temporaryStore } from '../helpers/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

/** Flushes as on a slow disk: longer than others pause, so that nothing may depend on who comes during one. */
function slowFlushes(): void {
  const flush = fs.fsyncSync
  const waits = new Int32Array(new SharedArrayBuffer(4))
  fs.fsyncSync = (fd) => {
    Atomics.wait(waits, 0, 0, 2 * MAX_PAUSE_MS)
    flush(fd)
  }
  syncBuiltinESMExports()
}
slowFlushes()

test('an auto pin that a collector sets aside and gives back is alive all the time', async (t) => {
  const store = await temporaryStore(t)
  const { root } = await addTree(store, 'kept')
  const path = link(join(store.paths.store, String(root)), join(await temporaryDirectory(t), 'result'))
  const pin = (await autoPin(store, path, { prog: 'any', user: 'bob' })).autoPin
  const [steady, aside] = [pin, droppingName(pin)].map((name) => JSON.stringify(name))
  await again(t, `fs.renameSync(${steady}, ${aside}); fs.renameSync(${aside}, ${steady})`)
  for (let reads = 0; reads < 1500; reads++) {
    const { roots, gone, unreadable } = readLinks(store.paths)
    assert.deepEqual([gone, unreadable], [[], []])
    assert.deepEqual([...new Set(roots.map((one) => one.path))], [path])
  }
})

for (const [what, remove] of Object.entries({
  'removing a pin': (store, prog) => removePin(store, { prog, user: 'bob' }),
  'dropping a root': async (store, prog) =>
    dropRoots(
      store,
      (await listPins(store)).flatMap((pin) => (pin.prog === prog ? [pin.path] : [])),
    ),
} satisfies Record<string, (store: Awaited<ReturnType<typeof temporaryStore>>, prog: string) => unknown>)) {
  test(`${what} beside whoever removes the others of its name, and with the last one the directory`, async (t) => {
    const store = await temporaryStore(t)
    const { root } = await addTree(store, 'pinned')
    const directory = progDirectory(store.paths, 'bob', 'tool')
    await again(t, `try { fs.rmdirSync(${JSON.stringify(directory)}) } catch {}`)
    for (let rounds = 0; rounds < 30; rounds++) {
      const { path } = await addPin(store, { prog: 'tool', cid: root, user: 'bob' })
      assert.equal(dirname(path), directory)
      assert.ok(lstatSync(path).isSymbolicLink())
      await remove(store, 'tool')
      assert.equal(lstatSync(path, { throwIfNoEntry: false }), undefined)
    }
  })
}
