// What is no file, directory or symlink: it is refused, and no link to it is stored in its place.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { makeProgram, outcome, SHELL_WORDS, sandbox } from '../cli/harness.ts'

const box = await sandbox({ after })
const at = (...parts: string[]) => join(box.directory, ...parts)
writeFileSync(at('file'), 'text')
execFileSync('mkfifo', [at('fifo')])
symlinkSync('fifo', at('link'))
const server = createServer().listen(at('socket'))
after(() => server.close())

const shell = (line: string) =>
  outcome(['bash', '-c', line.replaceAll('pkg', SHELL_WORDS)], { cwd: box.directory, env: box.env })

const REFUSED: [line: string, why: RegExp][] = [
  ['echo x | pkg store add /dev/stdin', /\/dev\/stdin leads to a FIFO/],
  ['echo x | pkg store add /proc/self/fd/0', /leads to a FIFO/],
  ['pkg store add /dev/stdin < file', /\/dev\/stdin is what a process has open: .*\/file/],
  ['pkg store add <(echo x)', /leads to a FIFO/],
  ['pkg store add /dev/stdin < /dev/null', /leads to a device/],
  ['pkg store add fifo', /fifo is a FIFO/],
  ['pkg store add link', /link leads to a FIFO/],
  ['pkg store add socket', /socket is a socket/],
  ['pkg store add /dev/zero', /\/dev\/zero is a device/],
  ['echo x | pkg store add /proc/self/fd', /of a process|changed|a FIFO|cannot be read/],
  ['pkg pack <(echo x) --as a@1.0.0', /is not a directory/],
]
for (const [line, why] of REFUSED) {
  test(`${line}: refused`, async () => {
    const { status, stdout, stderr } = await shell(line)
    assert.notEqual(status, 0, stdout)
    assert.equal(stdout, '')
    assert.match(stderr, why)
    assert.doesNotMatch(stderr, /internal error/)
  })
}

test('inside a directory a FIFO or socket is refused; a link to a device is a link', async () => {
  const tree = makeProgram(at('tree'), 'tool', 'hi')
  symlinkSync('/dev/null', join(tree, 'masked'))
  symlinkSync('http:[1]', join(tree, 'odd'))
  const cid = await box.brief('store', 'add', tree)
  assert.match((await box.run(['store', 'ls', '-l', cid])).stdout, /masked -> \/dev\/null/)
  mkdirSync(join(tree, 'run'))
  execFileSync('mkfifo', [join(tree, 'run', 'control')])
  for (const words of [
    ['store', 'add', tree],
    ['pack', tree, '--as', 'tool@1.0.0'],
  ]) {
    const { status, stderr } = await box.run(words)
    assert.equal(status, 2)
    assert.match(stderr, /control is a FIFO/)
  }
  rmSync(join(tree, 'run'), { recursive: true })
})
