// What `pkg init --modify-shell` writes, as new shells read it.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { prefixLine } from '../../src/cli/shell/path-hint.ts'
import { addLine } from '../../src/cli/shell/shell-file.ts'
import { fill, NOT_ROOT, onSmallDisk } from '../helpers/small-disk.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { sandbox } from './harness.ts'

test('a new shell knows a prefix that is not the default one; a second init replaces our line only', async (t) => {
  const box = await sandbox(t)
  const file = join(box.home, '.bashrc')
  const init = async (prefix: string) => {
    const env = { PKG_PREFIX: prefix }
    const { status, stdout } = await box.run(['init', '--no-mount', '--modify-shell'], { env })
    assert.equal(status, 0)
    return stdout
  }
  const told = () =>
    execFileSync('bash', ['-c', `. '${file}'; printf %s "$PKG_PREFIX"`], { encoding: 'utf8' })
  const odd = join(box.directory, "an o'dd place")
  assert.ok((await init(odd)).includes('export PKG_PREFIX='))
  assert.equal(told(), odd)
  appendFileSync(file, 'alias x=y # mine')
  chmodSync(file, 0o640)
  const text = readFileSync(file, 'utf8')
  await init(odd)
  assert.equal(readFileSync(file, 'utf8'), text)
  await init(box.prefix)
  assert.equal(told(), box.prefix)
  const after = readFileSync(file, 'utf8')
  assert.equal(after.match(/PKG_PREFIX/g)?.length, 1)
  assert.match(after, /^alias x=y # mine$/m)
  assert.equal(statSync(file).mode & 0o777, 0o640)
})

test('the default prefix needs no line, and fish has words of its own', () => {
  const env = { HOME: '/home/a', XDG_DATA_HOME: '/home/a/data', SHELL: '/usr/bin/fish' }
  const own = process.getuid?.() === 0 ? '/ipfs' : '/home/a/data/pkg'
  if (own === '/ipfs') assert.equal(prefixLine({ ...env, PKG_PREFIX: own }, own), undefined)
  assert.equal(prefixLine(env, '/else where'), "set -gx PKG_PREFIX '/else where'")
  assert.equal(prefixLine(env, "/it's\\"), "set -gx PKG_PREFIX '/it\\'s\\\\'")
})

test('on a full disk a line is added whole or not at all', { skip: NOT_ROOT }, async (t) => {
  const directory = await temporaryDirectory(t)
  await onSmallDisk(directory, '1m', () => {
    const file = join(directory, '.bashrc')
    const mine = `${'#'.repeat(4085)}\n`
    writeFileSync(file, mine)
    fill(join(directory, 'filler'))
    assert.throws(() => addLine(file, 'export PATH="$HOME/.pkg-profile/bin:$PATH"'), { code: 'ENOSPC' })
    assert.equal(readFileSync(file, 'utf8'), mine)
  })
})
