// A daemon that has no file descriptors left cannot start a process: it says so, and lives on.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { temporaryStore } from '../helpers/store.ts'

const source = (file: string) => JSON.stringify(new URL(`../../src/${file}`, import.meta.url).href)

const PROGRAM = `
  import { EventEmitter } from 'node:events'
  import { closeSync, openSync } from 'node:fs'
  import { Collections } from ${source('daemon/api/collections.ts')}
  import { readProcesses } from ${source('pins/processes.ts')}
  import { prefixPaths } from ${source('paths.ts')}
  const paths = prefixPaths(process.argv[1])
  class Answer extends EventEmitter {
    closed = false
    text = ''
    writeHead = () => ({ flushHeaders() {} })
    setTimeout() {}
    write(text) { this.text += text; return true }
    end(text = '') { this.text += text; this.closed = true; this.emit('close') }
  }
  const held = []
  try {
    for (;;) held.push(openSync('/dev/null', 'r'))
  } catch {}
  for (const fd of held.splice(-3)) closeSync(fd)
  const answer = new Answer()
  await new Collections(paths, () => {}).serve(answer, 0)
  const refused = await readProcesses([paths.store]).then(() => 'none', ({ code }) => code)
  for (const fd of held) closeSync(fd)
  process.stdout.write(JSON.stringify([answer.text, refused]))`

test('a collection that cannot be started is an answer, not the end of the daemon', async (t) => {
  const { paths } = await temporaryStore(t)
  const args = [
    '-c',
    'ulimit -n 128 && exec "$@"',
    'sh',
    process.execPath,
    '--input-type=module',
    '-e',
    PROGRAM,
    paths.root,
  ]
  const { status, stdout, stderr } = spawnSync('/bin/sh', args, { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  const [text, refused] = JSON.parse(stdout)
  assert.match(text, /"type":"error"/)
  assert.equal(refused, 'EMFILE')
})
