// One size for a package wherever it is shown: all its blocks, each counted once.

import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeProgram, sandbox } from './harness.ts'

test('pack, publish, search, info, install, list, pin list, du and rollback say the same size', async (t) => {
  const box = await sandbox(t)
  const source = makeProgram(join(box.directory, 'source'), 'tool', 'x')
  mkdirSync(join(source, 'share'))
  // What is there twice is one block.
  for (const name of ['one', 'two', 'three']) writeFileSync(join(source, 'share', name), 'x'.repeat(300_000))
  type Sized = { name: string; size: number }
  const { cid, size } = await box.json<Sized & { cid: string }>('pack', 'source', '--as', 'tool@1.0.0')
  assert.ok(size > 300_000 && size < 310_000, String(size))
  await box.brief('registry', 'create', 'reg')
  await box.brief('publish', 'tool', '--registry', 'reg')
  await box.brief('registry', 'add', 'main', 'reg')

  const sizes: Record<string, number | undefined> = {}
  const first = (all: readonly Sized[]) => all.find(({ name }) => name === 'tool')?.size
  const planned = await box.json<{ changes: Sized[] }>('install', 'tool', '--dry-run')
  sizes['install --dry-run'] = first(planned.changes)
  sizes.install = first((await box.json<{ changes: Sized[] }>('install', 'tool')).changes)
  sizes.search = first((await box.json<{ packages: Sized[] }>('search', 'tool')).packages)
  sizes.list = first((await box.json<{ packages: Sized[] }>('list')).packages)
  sizes['pin list'] = first((await box.json<{ pins: Sized[] }>('pin', 'list')).pins)
  sizes['info <cid>'] = (await box.json<Sized>('info', cid)).size
  const record = await box.json<{ versions: { platforms: Sized[] }[] }>('info', 'tool')
  sizes['info <name>'] = record.versions[0]?.platforms[0]?.size
  sizes.remove = first((await box.json<{ changes: Sized[] }>('remove', 'tool')).changes)
  sizes.rollback = first((await box.json<{ changes: Sized[] }>('rollback')).changes)
  sizes.du = (await box.json<{ packages: { total: number }[] }>('du')).packages[0]?.total
  assert.deepEqual(sizes, Object.fromEntries(Object.keys(sizes).map((where) => [where, size])))
  for (const words of [['list'], ['search', 'tool'], ['info', 'tool'], ['pin', 'list'], ['du']]) {
    const { stdout } = await box.run(words)
    assert.match(stdout, /\bsize\b[\s\S]*29\d\.\d KiB/, words.join(' '))
  }
  assert.match((await box.run(['info', cid])).stdout, /^size +29\d\.\d KiB/m)
})
