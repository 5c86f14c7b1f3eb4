import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { stopwatch } from '../../src/files/stopwatch.ts'

const now = Date.now

for (const [what, by] of [
  ['back', -3_600_000],
  ['forward', 3_600_000],
] as const) {
  test(`a clock that is set ${what} makes no time shorter`, async (t) => {
    t.after(() => {
      Date.now = now
    })
    const watch = stopwatch()
    Date.now = () => now() + by
    await delay(20)
    assert.ok(watch() >= 19)
    assert.ok(by < 0 || watch() >= by)
  })
}
