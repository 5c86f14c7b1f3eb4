// Another user locks whatever they may open below root's prefix, and root works on: what root locks or waits for is
// nobody else's to open.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { findSystemCommand } from '../../src/files/system-command.ts'
import { prefixPaths } from '../../src/paths.ts'
import { Store } from '../../src/store/store.ts'
import { makeProgram } from '../cli/harness.ts'
import { type Accounts, accounts, type Person } from './accounts.ts'
import { WITHOUT_USERS } from './machine.ts'

const cc = findSystemCommand('cc')
const skip = WITHOUT_USERS || (cc === undefined ? 'there is no C compiler, which locks take' : false)

/** Has the person lock all that they may open below the directory until the test ends; gives how many files. */
async function lockAll(
  t: TestContext,
  { directory }: Accounts,
  person: Person,
  below: string,
): Promise<number> {
  const program = join(directory, 'hold')
  execFileSync(cc as string, ['-O1', '-o', program, join(import.meta.dirname, 'hold.c')])
  chmodSync(program, 0o755)
  const child = person.spawn([program, below], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  return Number(String((await once(child.stdout!, 'data'))[0]))
}

/** Root's commands, each of which has to succeed. */
async function workAsRoot({ root, directory }: Accounts, round: string): Promise<void> {
  const tool = makeProgram(join(directory, `tool-${round}`), 'tool', round)
  const cid = await root.brief('pack', tool, '--as', `tool@${round}.0.0`)
  const registry = join(directory, `registry-${round}`)
  const commands = [
    ['registry', 'create', registry],
    ['publish', cid, '--registry', registry],
    ['registry', 'add', `main-${round}`, registry],
    ['search', 'tool'],
    ['install', cid],
    ['list'],
    ['roots'],
    ['store', 'add', tool],
    ['store', 'verify'],
    ['gc', '--dry-run'],
    ['gc', '--keep', '1'],
    ['remove', 'tool'],
    ['rollback'],
    ['pin', 'remove', 'tool'],
    ['registry', 'remove', `main-${round}`],
    ['store', 'reindex'],
    ['gc'],
  ]
  for (const words of commands) {
    const { status, stderr } = await root.pkg(...words)
    assert.equal(status, 0, `${words.join(' ')}: ${stderr}`)
  }
}

/** A deadline against a lock that is waited for. */
const options = { skip, timeout: 400_000 }

/** What of the databases there is goes with the last process that has them open: one of root's has, until the test ends. */
function keepOpen(t: TestContext, { prefix }: Accounts): void {
  const store = Store.open(prefix)
  store.index.complete()
  t.after(() => store.close())
}

test(
  "root's commands work while another user locks all that they may open in root's prefix",
  options,
  async (t) => {
    const machine = await accounts(t)
    await workAsRoot(machine, '1')
    keepOpen(t, machine)
    assert.ok((await lockAll(t, machine, machine.bert, machine.prefix)) > 0)
    await workAsRoot(machine, '2')
  },
)

test('and where the index was open to others, who locked it then', options, async (t) => {
  const machine = await accounts(t)
  await workAsRoot(machine, '1')
  keepOpen(t, machine)
  const { index } = prefixPaths(machine.prefix)
  for (const file of [index, `${index}-wal`, `${index}-shm`]) chmodSync(file, 0o644)
  await lockAll(t, machine, machine.bert, machine.prefix)
  await workAsRoot(machine, '2')
})

test('an auto pin whose record its owner has a lease on stops no collection of root', options, async (t) => {
  const machine = await accounts(t)
  const { root, anna, prefix } = machine
  const cid = await root.brief(
    'pack',
    makeProgram(join(machine.directory, 'tool'), 'tool', '1'),
    '--as',
    'tool@1.0.0',
  )
  await root.pkg('daemon', 'start')
  t.after(() => root.pkg('daemon', 'stop', '--force'))
  const installed = await anna.pkg('install', cid, '--profile', join(anna.home, 'own'))
  assert.equal(installed.status, 0, installed.stderr)
  assert.ok((await lockAll(t, machine, anna, join(prefix, 'pins', 'per-user'))) > 0)
  for (const words of [['gc'], ['roots'], ['gc', '--dry-run']]) {
    const { status, stderr } = await root.pkg(...words)
    assert.equal(status, 0, `${words.join(' ')}: ${stderr}`)
  }
})
