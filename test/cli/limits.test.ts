// Limits of the session (setrlimit(2)) that a command meets: one sentence and a documented status, and a whole store.

import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { outcome, START, sandbox } from './harness.ts'

const box = await sandbox({ after })
mkdirSync(join(box.directory, 'files'))
for (let n = 0; n < 40; n += 1) writeFileSync(join(box.directory, 'files', `f${n}`), `${n}`)
writeFileSync(join(box.directory, 'large'), Buffer.alloc(700_000, 7))
await box.brief('store', 'add', 'files')

/** `pkg` of the sources in a shell with this limit. */
const limited = (limit: string, words: string[]) =>
  outcome(['/bin/sh', '-c', `ulimit ${limit} && exec "$@"`, 'sh', process.execPath, START, ...words], {
    cwd: box.directory,
    env: box.env,
  })

test('few open files: every command works, or says that they are too few', async () => {
  for (let files = 21; files <= 34; files += 1) {
    const { status, signal, stderr } = await limited(`-n ${files}`, ['gc', '--dry-run'])
    assert.doesNotMatch(stderr, /TypeError/)
    // Below some number Node itself does not start.
    if (signal !== null || !stderr.startsWith('pkg:')) continue
    assert.equal(status, 6, stderr)
    assert.match(stderr, /too many open files\nhint: .*ulimit/)
  }
})

test('a file that may not be as large as a block', async () => {
  const { status, stderr } = await limited('-f 200', ['store', 'add', 'large'])
  assert.equal(status, 9, stderr)
  assert.match(stderr, /file too large\nhint: `ulimit -f`/)
  assert.equal((await box.run(['store', 'verify'])).status, 0)
})
