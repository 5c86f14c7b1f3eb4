// Accounts, as the system has them: the name becomes a directory's.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import { findAccount, parsePasswd } from '../../src/files/accounts.ts'

test('the account of a uid, by the file and by the system', async () => {
  assert.deepEqual(await findAccount(0), { uid: 0, gid: 0, name: 'root' })
  assert.equal(await findAccount(3_999_999_999), undefined)
})

for (const uid of [-1, 1.5, 2 ** 32 - 1, Number.NaN]) {
  test(`${uid} is no uid`, async () => {
    await assert.rejects(findAccount(uid), (error) => hasCode(error, 'USAGE'))
  })
}

for (const name of ['..', '.', '', 'a/b', '.tmp-x', 'a\u001b[2Jb', 'x'.repeat(256)]) {
  test(`an account called ${JSON.stringify(name.slice(0, 10))} gets no directory`, () => {
    assert.throws(
      () => parsePasswd(`${name}:x:7:7::/:/bin/sh\n`, 7),
      (error) => hasCode(error, 'BAD_NAME'),
    )
  })
}

const LINES = ['# comment', '+::::::', 'short:x:7:7', 'a:x:07:7::/:', 'b:x:7:x::/:', 'c:x: 7:7::/:']
test('lines that are no accounts are passed over; the first account counts', () => {
  const text = [...LINES, 'd:x:7:8:D,,,:/home/d:/bin/sh', 'e:x:7:9::/:'].join('\n')
  assert.deepEqual(parsePasswd(text, 7), { uid: 7, gid: 8, name: 'd' })
})
