// Standard output that takes nothing more: one line, and the status that says why.

import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { outcome, SHELL_WORDS, sandbox } from './harness.ts'

const box = await sandbox({ after })
writeFileSync(join(box.directory, 'file'), Buffer.alloc(3_000_000, 7))
const cid = await box.brief('store', 'add', 'file')
const options = { skip: !existsSync('/dev/full') && 'no /dev/full here' }

const shell = (line: string) =>
  outcome(['sh', '-c', line.replace('pkg', SHELL_WORDS)], { cwd: box.directory, env: box.env })

for (const line of [
  'list',
  `store cat ${cid}`,
  `store export ${cid} -`,
  '--help',
  'install --help',
  'list --json',
]) {
  test(`pkg ${line.replace(cid, '<cid>')} >/dev/full: one line, status 9`, options, async () => {
    const { status, stderr } = await shell(`pkg ${line} >/dev/full`)
    assert.equal(status, 9, stderr)
    if (line.endsWith('--json')) assert.match(stderr, /"code": "NO_SPACE"/)
    else assert.equal(stderr, 'pkg: standard output cannot be written: no space left on device\n')
  })
}

test('an error that cannot be told keeps its status', options, async () => {
  assert.equal((await shell('pkg instal 2>/dev/full')).status, 2)
  assert.equal((await shell('pkg instal --json >/dev/full 2>&1')).status, 2)
})

test('a reader that goes away in the middle is no error', async () => {
  const { stdout, stderr } = await shell(`pkg store cat ${cid} | head -c 1`)
  assert.deepEqual([stdout, stderr], ['\u0007', ''])
})
