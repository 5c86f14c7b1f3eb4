// Damage on the disk, seen through the mount: an error or the right bytes, never others.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { globSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isErrno } from '../../src/errors.ts'
import { machine, NO_MOUNT } from './machine.ts'

test('a flipped bit is EIO, `store verify` names it, adding again heals it', {
  skip: NO_MOUNT,
}, async (t) => {
  const box = await machine(t)
  const tree = join(box.directory, 'tree')
  mkdirSync(tree)
  const content = randomBytes(10_000)
  writeFileSync(join(tree, 'file'), content)
  writeFileSync(join(tree, 'neighbour'), 'unharmed')
  const { cid } = JSON.parse(await box.pkg('store', 'add', tree, '--pin', 'backup', '--json')) as {
    cid: string
  }
  const block = globSync('blocks/*/baf*', { cwd: box.prefix })
    .map((name) => join(box.prefix, name))
    .find((file) => statSync(file).size === content.length)!
  const damaged = Buffer.from(content)
  damaged[5000]! ^= 0b100
  writeFileSync(block, damaged)

  assert.throws(
    () => readFileSync(box.store(cid, 'file')),
    (error) => isErrno(error, 'EIO'),
  )
  assert.equal(readFileSync(box.store(cid, 'neighbour'), 'utf8'), 'unharmed')
  const verify = await box.try(['store', 'verify'])
  assert.equal(verify.status, 4)
  assert.ok((verify.stdout + verify.stderr).includes(block.split('/').at(-1)!))
  await box.pkg('store', 'add', tree)
  assert.deepEqual(readFileSync(box.store(cid, 'file')), content)
  assert.match(await box.pkg('store', 'verify'), /all good/)
})
