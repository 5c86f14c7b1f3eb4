// Homes that are missing, closed, no directory, or on a file system of the kernel's: `pkg` starts and ends, without a
// compile cache.

import assert from 'node:assert/strict'
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { outcome, START, sandbox } from './harness.ts'

/** Seconds: a start takes one on a machine under load, a loop never ends. */
const DEADLINE = '60'

const box = await sandbox({ after })
const at = (name: string) => join(box.directory, name)
for (const name of ['readonly', 'others', 'own', 'own-xdg']) mkdirSync(at(name))
chmodSync(at('readonly'), 0o555)
writeFileSync(at('file'), '')
if (process.getuid?.() === 0) chownSync(at('others'), 12345, 12345)
await box.run(['init', '--no-mount'])

async function list(env: NodeJS.ProcessEnv): Promise<void> {
  const command = ['timeout', '-s', 'KILL', DEADLINE, process.execPath, START, 'list']
  const { status, stdout, stderr } = await outcome(command, {
    cwd: box.directory,
    env: { ...box.env, ...env },
  })
  assert.deepEqual([status, stdout], [0, 'Nothing is installed yet\n'], `${JSON.stringify(env)}: ${stderr}`)
}

const HOMES = ['/proc', '/proc/self', '/sys', '/sys/fs', '/dev/null', '/dev/fd', '', 'relative', undefined]

for (const home of [
  ...HOMES,
  at('missing'),
  at('file'),
  at('readonly'),
  at('others'),
  `${at('own')}/../file/x`,
]) {
  test(`a home of ${home?.replace(box.directory, '…')}`, async () => {
    await list({ HOME: home })
    assert.equal(existsSync(at('relative')), false)
    assert.deepEqual(readdirSync(at('others')), [])
  })
}

test('a cache home of /proc', () => list({ XDG_CACHE_HOME: '/proc' }))

test('a home of one’s own has the cache', async () => {
  await list({ HOME: at('own') })
  await list({ XDG_CACHE_HOME: at('own-xdg') })
  assert.notEqual(readdirSync(join(at('own'), '.cache/pkg/compiled')).length, 0)
  assert.notEqual(readdirSync(join(at('own-xdg'), 'pkg/compiled')).length, 0)
})
