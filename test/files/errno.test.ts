// What file systems answer and Node has no name for, and what limits refuse: no bug of ours.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reportOf } from '../../src/cli/show/report.ts'
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

for (const [errno, name, status] of [
  [-24, 'EMFILE', 6],
  [-11, 'EAGAIN', 6],
  [-12, 'ENOMEM', 6],
  [-27, 'EFBIG', 9],
] as const) {
  test(`${name} is a limit, and no bug`, () => {
    const error = Object.assign(new Error(`${name}: words, write '/x'`), {
      errno,
      code: name,
      syscall: 'write',
    })
    assert.equal(exitStatusOf(error), status)
    assert.equal(reportOf(error).message, '/x: words')
    assert.match(reportOf(error).hint ?? '', /ulimit/)
  })
}

test('a program that a limit keeps from starting', () => {
  const error = Object.assign(new Error('spawn /bin/x EMFILE'), {
    errno: -24,
    code: 'EMFILE',
    syscall: 'spawn /bin/x',
  })
  assert.equal(reportOf(error).message, '/bin/x cannot be started: too many open files')
})
