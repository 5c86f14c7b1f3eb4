// What file systems answer and Node has no name for.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reportOf } from '../../src/cli/report.ts'
import { codeOf, exitStatusOf, isErrno } from '../../src/errors.ts'

/** As Node throws it. */
function unknown(errno: number, more = ''): Error {
  const message = `Unknown system error ${errno}: Unknown system error ${errno}, write${more}`
  return Object.assign(new Error(message), { errno, code: `Unknown system error ${errno}`, syscall: 'write' })
}

for (const [errno, name, code, status] of [
  [-122, 'EDQUOT', 'NO_SPACE', 9],
  [-117, 'EUCLEAN', 'IO', 4],
  [-116, 'ESTALE', 'IO', 4],
] as const) {
  test(`errno ${errno} is ${name}`, () => {
    const error = unknown(errno)
    assert.ok(isErrno(error, name))
    assert.equal(codeOf(error), code)
    assert.equal(exitStatusOf(error), status)
  })
}

test('a quota that is used up is called that, with the path where there is one', () => {
  assert.equal(reportOf(unknown(-122)).message, 'disk quota exceeded')
  assert.equal(reportOf(unknown(-122, " '/x'")).message, '/x: disk quota exceeded')
})
