// Every command as somebody who has nothing yet: without a prefix, with an empty one, and as a
// new user of root's. It ends with a documented status, and what is wrong comes with a way on.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { COMMANDS, wordsOf } from '../../src/cli/commands.ts'
import { EXIT } from '../../src/errors.ts'
import { WITHOUT_FUSE } from '../daemon/prefix.ts'
import { accounts } from '../users/accounts.ts'
import { WITHOUT_USERS } from '../users/machine.ts'
import { type Outcome, sandbox } from './harness.ts'

/** A CID that nobody has. */
const NOBODYS = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'

/** What commands are given that need something. */
const ARGUMENTS: Record<string, string[]> = {
  install: ['tool'],
  remove: ['tool'],
  run: ['tool'],
  search: ['tool'],
  info: ['tool'],
  which: ['tool'],
  switch: ['1'],
  pack: ['.'],
  publish: [NOBODYS, '--registry', './none'],
  unpublish: ['tool', '--registry', './none'],
  'registry create': ['./made'],
  'registry add': ['main', './none'],
  'registry remove': ['main'],
  why: ['tool'],
  'roots drop': ['/nowhere'],
  'pin add': ['name', NOBODYS],
  'pin remove': ['name'],
  'store add': ['file'],
  'store get': [NOBODYS, 'out'],
  'store checkout': [NOBODYS],
  'store ls': [NOBODYS],
  'store cat': ['tool'],
  'store stat': ['tool'],
  'store export': [NOBODYS, 'x.car'],
  'store import': ['none.car'],
  completion: ['bash'],
  leave: ['--yes'],
}

/** What makes a prefix ready comes last, for then there is something; and what takes it away, last of all. */
const LAST = ['init', 'daemon start', 'daemon restart', 'daemon stop', 'leave']

/** The table of what there is not yet; a message that only names it needs no hint. */
const NEEDS_NO_HINT = ['store import']

type Run = (words: string[]) => Promise<Outcome>

async function walk(run: Run): Promise<void> {
  const all = COMMANDS.map(wordsOf)
  const first = all.filter((words) => !LAST.includes(words))
  // Some at once: most of the time goes into starting.
  for (let at = 0; at < first.length; at += 3) await Promise.all(first.slice(at, at + 3).map(tryOne))
  for (const words of LAST) await tryOne(words)

  async function tryOne(words: string): Promise<void> {
    const { status, stdout, stderr } = await run([...words.split(' '), ...(ARGUMENTS[words] ?? [])])
    const what = `pkg ${words}: ${status}\n${stdout}${stderr}`
    assert.ok(status !== EXIT.internal && Object.values(EXIT).includes(status as never), what)
    assert.doesNotMatch(stdout + stderr, /internal error|undefined|NaN|^ +at /m, what)
    assert.notEqual(stdout + stderr, '', what)
    if (status !== 0 && stdout === '' && !NEEDS_NO_HINT.includes(words))
      assert.match(stderr, /^hint: /m, what)
  }
}

async function privateOne(t: TestContext): Promise<Run> {
  const box = await sandbox(t)
  writeFileSync(join(box.directory, 'file'), 'x')
  return (words) => box.run(words)
}

test('without a prefix', async (t) => {
  const box = await sandbox(t)
  writeFileSync(join(box.directory, 'file'), 'x')
  let made = 0
  await walk((words) => {
    // What starts a daemon does it where the sandbox stops it.
    const prefix = LAST.includes(words.join(' ')) ? box.prefix : join(box.directory, `prefix-${made++}`)
    return box.run(words, { env: { PKG_PREFIX: prefix } })
  })
})

test('with an empty prefix', async (t) => {
  const run = await privateOne(t)
  await run(['store', 'add', 'file'])
  const { status, stdout } = await run(['search', 'tool'])
  assert.deepEqual([status, stdout.split('\n')[0]], [0, 'There are no registries to search'])
  await walk(run)
})

for (const daemon of ['runs', 'is stopped']) {
  test(`in a prefix of root’s whose daemon ${daemon}`, { skip: WITHOUT_USERS || WITHOUT_FUSE }, async (t) => {
    let stop: () => unknown = () => {}
    t.after(() => stop())
    const { root, anna } = await accounts(t)
    stop = () => root.pkg('daemon', 'stop', '--force')
    assert.equal((await root.pkg('init')).status, 0)
    if (daemon !== 'runs') await root.brief('daemon', 'stop')
    await anna.run(['sh', '-c', 'echo x > file'])
    await walk((words) => anna.pkg(...words))
  })
}
