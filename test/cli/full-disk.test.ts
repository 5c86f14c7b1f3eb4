// Going without something on a full disk, by the real program: prefix, home, registry and working directory are on it.

import assert from 'node:assert/strict'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fill, fillInodes, NOT_ROOT, onSmallDisk } from '../helpers/small-disk.ts'
import { makeProgram, sandbox } from './harness.ts'

/** In this order, each on a disk that is full to the last. */
const REMOVALS = [
  ['remove', 'one'],
  ['remove', 'two', '--dry-run'],
  ['rollback'],
  ['switch', '1'],
  ['remove', 'one'],
  ['pin', 'remove', 'kept'],
  ['roots', 'drop', '2'],
  ['unpublish', 'one@1.0.0', '--registry', 'registry'],
  ['registry', 'remove', 'main'],
  ['gc', '--keep', '1'],
]

for (const [what, options, fillUp] of [
  ['byte', '16m', fill],
  ['inode', '32m,nr_inodes=2000', fillInodes],
] as const) {
  test(`what removes works with no ${what} left`, { skip: NOT_ROOT }, async (t) => {
    const box = await sandbox(t)
    await onSmallDisk(box.directory, options, async () => {
      mkdirSync(box.home)
      const at = (name: string) => join(box.directory, name)
      for (const name of ['one', 'two', 'three']) {
        await box.brief('install', makeProgram(at(name), name, name), '--as', `${name}@1.0.0`)
      }
      await box.brief('registry', 'create', 'registry')
      for (const name of ['one', 'two']) await box.brief('publish', `${name}@1.0.0`, '--registry', 'registry')
      await box.brief('registry', 'add', 'main', './registry')
      await box.brief('pin', 'add', 'kept', 'three@1.0.0')
      try {
        for (const [round, words] of REMOVALS.entries()) {
          fillUp(at(`filler-${round}`))
          const { status, stderr, stdout } = await box.run(words)
          assert.equal(status, 0, `${words.join(' ')}: ${stderr}${stdout}`)
        }
        const { packages } = await box.json<{ packages: { name: string }[] }>('list')
        assert.deepEqual(packages, [])
        const { status, stderr, stdout } = await box.run(['store', 'verify'])
        assert.equal(status, 0, stderr + stdout)
        assert.ok(readdirSync(join(box.prefix, 'var')).every((name) => !name.includes('.tmp-')))
      } finally {
        await box.run(['daemon', 'stop', '--force'])
      }
    })
  })
}
