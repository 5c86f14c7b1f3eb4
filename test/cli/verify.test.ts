// `pkg store verify`: what it says of damage, and healing it from what is named.

import assert from 'node:assert/strict'
import { chmodSync, globSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { sandbox } from './harness.ts'

test('damage is named with its roots, and healed by --from', async (t) => {
  const box = await sandbox(t)
  const tree = join(box.directory, 'tree')
  mkdirSync(tree)
  writeFileSync(join(tree, 'file'), 'x'.repeat(5000))
  await box.brief('store', 'add', tree, '--pin', 'backup')
  const [block] = globSync(`${box.prefix}/blocks/*/baf*`).filter((file) => statSync(file).size === 5000)
  chmodSync(block!, 0o644)
  writeFileSync(block!, 'y'.repeat(5000))

  assert.equal((await box.run(['store', 'verify', '--repair'])).status, 2)
  const found = await box.run(['store', 'verify'])
  assert.equal(found.status, 4)
  assert.match(found.stdout + found.stderr, /needed by pin backup/)
  const doctor = await box.run(['doctor'])
  assert.match(doctor.stdout, /1 found damaged.*needed by pin backup/)
  const other = join(box.directory, 'other')
  mkdirSync(other)
  writeFileSync(join(other, 'unlike'), 'nothing of it')

  const healed = await box.run(['store', 'verify', '--repair', '--from', other, tree])
  assert.equal(healed.status, 0, healed.stderr)
  assert.match(healed.stdout, /healed 1 block .*from the directory .*tree/)
  assert.match((await box.run(['store', 'verify'])).stdout, /all good/)
  assert.equal((await box.run(['store', 'verify', '--from', join(box.directory, 'nowhere')])).status, 3)
})

test('of a missing block the roots that need it are told; what came back is counted', async (t) => {
  const box = await sandbox(t)
  const tree = join(box.directory, 'tree')
  mkdirSync(tree)
  writeFileSync(join(tree, 'file'), 'x'.repeat(5000))
  await box.brief('store', 'add', tree, '--pin', 'backup')
  const blocks = globSync(`${box.prefix}/blocks/*/baf*`)
  rmSync(blocks.find((file) => statSync(file).size === 5000)!)
  const found = await box.run(['store', 'verify'])
  assert.equal(found.status, 4)
  assert.match(found.stdout, /incomplete .*1 block missing.*needed by pin backup/)
  const { stdout } = await box.run(['store', 'verify', '--from', tree, '--json'])
  assert.equal(JSON.parse(stdout).blocks, blocks.length)
})
