// A reader of a registry's directory beside its publisher, and a collector behind that one, in a tight loop.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { storePath } from '../../src/paths.ts'
import { changeRegistry, createRegistry, openRegistry } from '../../src/registry/directory.ts'
import { again } from '../helpers/again.ts'
import { openTestStore, recordOf } from './fixtures.ts'

test('a registry whose publisher moves on, while a collector takes the root that was, holds one root or the other', async (t) => {
  const { store, directory } = await openTestStore(t)
  const place = join(directory, 'registry')
  const first = (await createRegistry(store, place)).root
  const second = (await changeRegistry(store, place, () => new Map([['tool', recordOf('tool')]]))).root
  const roots = [first, second].map((root) => ({
    link: storePath(store.paths, root),
    file: store.blocks.file(root),
  }))
  await again(
    t,
    `const [last, next] = [roots[n % 2], roots[(n + 1) % 2]]
     fs.renameSync(next.file + '~', next.file)
     fs.symlinkSync(next.link, root + '~')
     fs.renameSync(root + '~', root)
     fs.renameSync(last.file, last.file + '~')`,
    `const roots = ${JSON.stringify(roots)}, root = ${JSON.stringify(join(place, 'root'))}
     fs.renameSync(roots[0].file, roots[0].file + '~')`,
  )
  const seen = new Set<string>()
  for (let reads = 0; reads < 3000; reads++) seen.add(String(openRegistry(store, place).root))
  assert.deepEqual([...seen].sort(), [first, second].map(String).sort())
})
