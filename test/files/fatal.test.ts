import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'

const module = new URL('../../src/files/fatal.ts', import.meta.url).href
const LONG = `'${'x'.repeat(20_000)}'`

for (const [how, words] of [
  ['an error', "setTimeout(() => { throw new Error('broken') })"],
  ['a rejection', "Promise.reject(new Error('broken'))"],
]) {
  test(`${how} that nobody catches ends a process with its stack, and without its source`, () => {
    const script = `import { endOnFatal } from '${module}'; endOnFatal('daemon'); const a = ${LONG}; ${words}; setInterval(() => a, 1000)`
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    })
    assert.equal(status, 1)
    assert.match(stderr, /daemon: ended by an error: Error: broken\n {4}at /)
    assert.ok(stderr.length < 2000, `${stderr.length} characters`)
  })
}
