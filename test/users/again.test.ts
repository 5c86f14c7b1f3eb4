// A user adds through root's daemon what is there already: neither sent again nor called new.

import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { accounts } from './accounts.ts'
import { WITHOUT_USERS } from './machine.ts'

const MIB = 1024 * 1024

test('what a user adds and imports a second time', { skip: WITHOUT_USERS }, async (t) => {
  let stop: () => unknown = () => {}
  t.after(() => stop())
  const { root, anna, prefix, directory } = await accounts(t)
  stop = () => root.pkg('daemon', 'stop', '--force')
  mkdirSync(prefix)
  writeFileSync(join(prefix, 'config.json'), '{"store.mode":"checkout"}')
  await root.brief('daemon', 'start')
  const source = join(directory, 'source')
  mkdirSync(source)
  for (let file = 0; file < 8; file++) writeFileSync(join(source, `${file}`), Buffer.alloc(MIB, `${file}`))
  const { pid } = JSON.parse((await root.pkg('daemon', 'status', '--json')).stdout)
  /** Bytes that the daemon has read, from files and sockets alike: proc_pid_io(5). */
  const read = () => Number(/^rchar: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1])
  const readWhile = async (...words: string[]) => {
    const before = read()
    const { status, stdout, stderr } = await anna.pkg(...words)
    assert.equal(status, 0, stderr)
    return { stdout, stderr, bytes: read() - before }
  }

  const first = await readWhile('store', 'add', source, '--pin', 'tree')
  assert.match(first.stderr, /; 9 new blocks, 8\.0 MiB; pinned as tree/)
  assert.ok(first.bytes > 8 * MIB, String(first.bytes))
  for (const pinned of [[], ['--pin', 'again']]) {
    const again = await readWhile('store', 'add', source, ...pinned)
    assert.match(again.stderr, /; nothing new; /)
    assert.ok(again.bytes < MIB, String(again.bytes))
  }
  const car = join(anna.home, 'tree.car')
  await anna.brief('store', 'export', first.stdout.split('\n')[0] ?? '', car)
  const imported = await readWhile('store', 'import', car)
  assert.match(imported.stderr, /9 blocks, 8\.0 MiB, 0 new; /)
  assert.ok(imported.bytes < MIB, String(imported.bytes))
})
