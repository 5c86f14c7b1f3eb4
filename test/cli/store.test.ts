// `pkg store` by the real program: in, out, across, checked.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { prefixPaths } from '../../src/paths.ts'
import { Blocks } from '../../src/store/blocks/blocks.ts'
import { parseCid } from '../../src/store/cid.ts'
import { START, sandbox } from './harness.ts'

const box = await sandbox({ after })
const at = (...parts: string[]) => join(box.directory, ...parts)

mkdirSync(at('tree', 'sub'), { recursive: true })
writeFileSync(at('tree', 'a'), 'one\n')
writeFileSync(at('tree', 'run'), '#!/bin/sh\n', { mode: 0o755 })
writeFileSync(at('tree', 'sub', 'big'), Buffer.alloc(3_000_000, 7))
symlinkSync('../a', at('tree', 'sub', 'link'))
const cid = await box.brief('store', 'add', 'tree', '--pin', 'backup')

test('add --pin pins', async () => {
  const { pins } = await box.json<{ pins: { name: string; cid: string }[] }>('pin', 'list')
  assert.deepEqual(
    pins.map(({ name, cid }) => [name, cid]),
    [['backup', cid]],
  )
})

test('ls lists names, -l everything, by CID, store path or path below', async () => {
  assert.equal(await box.brief('store', 'ls', cid), 'a\nrun\nsub')
  assert.equal(await box.brief('store', 'ls', `${cid}/sub`), 'big\nlink')
  assert.equal(await box.brief('store', 'ls', join(box.prefix, 'store', cid, 'sub')), 'big\nlink')
  const { stdout } = await box.run(['store', 'ls', '-l', cid])
  assert.match(stdout, /-r-xr-xr-x +10 B +baf\w+ +run\n/)
  assert.match(stdout, /dr-xr-xr-x +baf\w+ +sub\n/)
})

test('cat gives the bytes and nothing else, through symlinks', async () => {
  assert.equal((await box.run(['store', 'cat', `${cid}/sub/link`])).stdout, 'one\n')
  const { status, stdout, stderr } = await box.run(['store', 'cat', cid, '--json'])
  assert.equal(status, 2)
  assert.equal(stdout, '')
  assert.match(stderr, /"code": "IS_DIRECTORY"/)
})

test('get writes real files, and does not overwrite', async () => {
  await box.brief('store', 'get', cid, 'out')
  assert.equal(readFileSync(at('out', 'sub', 'link'), 'utf8'), 'one\n')
  assert.ok(statSync(at('out', 'run')).mode & 0o100)
  assert.equal((await box.run(['store', 'get', cid, 'out'])).status, 5)
  await box.brief('store', 'get', cid, 'out', '--force')
})

test('stat tells type, size and whether it is whole', async () => {
  const stat = await box.json<{ type: string; size: number; closure: { blocks: number } }>(
    'store',
    'stat',
    `${cid}/sub/big`,
  )
  assert.deepEqual([stat.type, stat.size, stat.closure.blocks], ['file', 3_000_000, 3])
})

test('export and import, to a file and through a pipe', async () => {
  const other = await sandbox({ after })
  await box.brief('store', 'export', cid, 'tree.car')
  assert.equal((await box.run(['store', 'export', cid, 'tree.car'])).status, 5)
  const car = readFileSync(at('tree.car'))
  const { status, stdout } = await other.run(['store', 'import', '-', '--pin', 'copy', '--json'], {
    input: car,
  })
  assert.equal(status, 0)
  assert.equal((JSON.parse(stdout) as { cid: string }).cid, cid)
  assert.equal((await other.run(['store', 'cat', `${cid}/a`])).stdout, 'one\n')
  const cut = await other.run(['store', 'import', '-'], { input: car.subarray(0, -10) })
  assert.equal(cut.status, 4)
  assert.match(cut.stderr, /cut short/)
})

test('what is no CAR file is named', async () => {
  const text = await box.run(['store', 'import', at('tree', 'a')])
  assert.equal(text.status, 4)
  assert.ok(text.stderr.startsWith(`pkg: ${at('tree', 'a')}: the CAR is cut short`), text.stderr)
  const directory = await box.run(['store', 'import', at('tree')])
  assert.equal(directory.status, 2)
  assert.match(directory.stderr, /tree is a directory and no CAR file\nhint: .*pkg store add/)
})

test('what is not there: status 3 with a hint', async () => {
  const missing = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
  for (const words of [
    ['store', 'ls', missing],
    ['pin', 'add', 'x', missing],
    ['store', 'import', 'nowhere.car'],
  ]) {
    assert.equal((await box.run(words)).status, 3, words.join(' '))
  }
  assert.equal((await box.run(['store', 'ls', 'no-name'])).status, 3)
  assert.equal((await box.run(['store', 'ls', './no-path'])).status, 3)
})

test('verify names a corrupt block and ends with 4; adding again heals', async () => {
  const leaf = parseCid(
    (await box.json<{ entries: { name: string; cid: string }[] }>('store', 'ls', cid)).entries[0]!.cid,
  )
  const file = new Blocks(prefixPaths(box.prefix)).file(leaf)
  chmodSync(file, 0o644)
  writeFileSync(file, 'onf\n')
  const { status, stdout } = await box.run(['store', 'verify'])
  assert.equal(status, 4)
  assert.ok(stdout.includes(file))
  assert.match(stdout, new RegExp(`in quarantine .*${leaf}: needed by pin backup`))
  for (const word of ['cat', 'get', 'stat']) {
    const { status, stderr } = await box.run(['store', word, leaf.toString()])
    assert.equal(status, 4, word)
    assert.match(stderr, /was found damaged .*\n.*Add or import/, word)
  }
  assert.equal((await box.run(['store', 'stat', cid])).status, 4)
  assert.equal(await box.brief('store', 'add', 'tree'), cid)
  const healed = await box.run(['store', 'verify'])
  assert.equal(healed.status, 0)
  assert.doesNotMatch(healed.stdout, /quarantine/)
  await box.brief('store', 'reindex')
})

test('Ctrl-C while it waits for input: status 130, nothing kept', async (t) => {
  const child = spawn(process.execPath, [START, 'store', 'import', '-', '--pin', 'half'], {
    env: box.env,
    stdio: 'pipe',
  })
  t.after(() => child.kill('SIGKILL'))
  let stderr = ''
  child.stderr.on('data', (text) => {
    stderr += text
  })
  child.stdin.on('error', () => {})
  child.stdin.write(readFileSync(at('tree.car')).subarray(0, 1_200_000))
  // Its temp pin is there once it works.
  const pins = () => readdirSync(prefixPaths(box.prefix).tempPins)
  while (!pins().some((name) => name.startsWith(`${child.pid}-`)))
    await new Promise((go) => setTimeout(go, 20))
  child.kill('SIGINT')
  const status = await new Promise((resolve) => child.once('close', resolve))
  assert.equal(status, 130)
  assert.match(stderr, /^pkg: interrupted\nhint: What was added stays until `pkg gc`[^\n]*\n$/)
  assert.ok(!pins().some((name) => name.startsWith(`${child.pid}-`)))
  assert.equal((await box.run(['pin', 'remove', 'half'])).status, 3)
})
