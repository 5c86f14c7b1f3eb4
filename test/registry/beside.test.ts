// A reader of a registry's directory beside its publisher, and a collector behind that one, in a tight loop.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { storePath } from '../../src/paths.ts'
import { changeRegistry, createRegistry, openRegistry } from '../../src/registry/directory.ts'
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
  const script = `const fs = require('node:fs')
    const roots = ${JSON.stringify(roots)}, root = ${JSON.stringify(join(place, 'root'))}
    fs.renameSync(roots[0].file, roots[0].file + '~')
    fs.writeSync(1, '.')
    for (let n = 0; ; n++) {
      const [next, last] = [roots[n % 2], roots[(n + 1) % 2]]
      fs.renameSync(next.file + '~', next.file)
      fs.symlinkSync(next.link, root + '~')
      fs.renameSync(root + '~', root)
      fs.renameSync(last.file, last.file + '~')
    }`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  const seen = new Set<string>()
  for (let reads = 0; reads < 3000; reads++) seen.add(String(openRegistry(store, place).root))
  assert.deepEqual([...seen].sort(), [first, second].map(String).sort())
})
