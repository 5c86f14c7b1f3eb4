// `pkg store verify`: what it says of damage, and healing it from what is named.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, globSync, mkdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { roots } from '../../src/pins/roots.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { tree as treeOf } from '../collector/scenario.ts'
import { temporaryStore } from '../helpers/store.ts'
import { makeProgram, sandbox } from './harness.ts'

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

test('damage of what is installed leads to a repair: package, generations, how; trees that are gone are made', async (t) => {
  const box = await sandbox(t)
  mkdirSync(box.prefix)
  writeFileSync(join(box.prefix, 'config.json'), '{"store.mode":"checkout"}')
  const source = makeProgram(join(box.directory, 'src'), 'tool', 'x'.repeat(3000))
  await box.brief('install', source, '--as', 'tool@1.0.0')
  await box.brief('install', makeProgram(join(box.directory, 'src2'), 'more', 'y'), '--as', 'more@1.0.0')
  const { cid } = await box.json<{ cid: string }>('list')
  const verify = (...words: string[]) => box.run(['store', 'verify', ...words])

  const tree = join(box.prefix, 'store', cid)
  rmSync(tree, { recursive: true })
  const gone = await verify('--dry-run')
  assert.equal(gone.status, 4)
  assert.match(gone.stdout, new RegExp(`damaged ${cid}: it is missing\n`))
  const made = await verify()
  assert.equal(made.status, 0)
  assert.match(made.stdout, new RegExp(`damaged ${cid}: it is missing \\(made anew\\)\n[^]*all good`))
  assert.ok(statSync(tree).isDirectory())

  const block = globSync(`${box.prefix}/blocks/*/baf*`).find((file) => statSync(file).size > 3000) as string
  chmodSync(block, 0o644)
  writeFileSync(block, 'y'.repeat(3000))
  for (const words of [['--dry-run'], [], ['--dry-run']]) {
    const { status, stdout } = await verify(...words)
    assert.equal(status, 4)
    assert.match(
      stdout,
      /incomplete tool 1\.0\.0: 1 block missing.*; needed by .*generations 1-2 of .*\(2 is current\)/,
    )
    assert.match(stdout, /blocks, .*: (1 damaged, )?1 lost, 2 roots incomplete/)
    assert.match(stdout, /hint: Heal it: `pkg install .*src` .*pkg remove tool/)
  }
  assert.notEqual((await verify('--dry-run', '--quiet')).stdout, '')
  await box.brief('install', source, '--as', 'tool@1.0.0')
  assert.match((await verify()).stdout, /all good/)
})

test('what a process names, or is adding, and was never here is no loss', async (t) => {
  const box = await sandbox(t)
  const store = await temporaryStore(t)
  const other = treeOf('of another store').root
  // Anybody may name anything in an environment, and a detached mount is not known from another store's.
  const place = join(realpathSync(store.paths.root), 'store', String(other))
  const child = spawn('/bin/sleep', ['600'], { stdio: 'ignore', env: { PLACE: place } })
  t.after(() => child.kill('SIGKILL'))
  await once(child, 'spawn')
  assert.ok((await roots(store)).some(({ kind, cid }) => kind === 'process' && cid.equals(other)))
  await withAdd(store, async (add) => {
    await add.protect(treeOf('that is coming').root)
    const { status, stdout, stderr } = await box.run(['store', 'verify', '--prefix', store.paths.root])
    assert.equal(status, 0, stdout + stderr)
  })
})
