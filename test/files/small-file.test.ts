// What may lie in the place of a small file, and that it neither hangs, fills nor leads us.

import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { hasCode, isErrno } from '../../src/errors.ts'
import { openUntrusted, readSmallFile } from '../../src/files/small-file.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

const OPTIONS = { maxBytes: 100_000, what: 'a test' }

for (const size of [0, 1, 8191, 8192, 8193, 99_999, 100_000]) {
  test(`a file of ${size} bytes is read whole`, async (t) => {
    const file = join(await temporaryDirectory(t), 'file')
    const bytes = Buffer.alloc(size, 'abc')
    writeFileSync(file, bytes)
    assert.deepEqual(readSmallFile(file, OPTIONS), bytes)
  })
}

test('a file that is longer than it may be is refused', async (t) => {
  const file = join(await temporaryDirectory(t), 'file')
  writeFileSync(file, Buffer.alloc(100_001))
  assert.throws(
    () => readSmallFile(file, OPTIONS),
    (error) => hasCode(error, 'NOT_FILE') && /longer/.test(error.message),
  )
})

const refused: [string, (file: string) => unknown, boolean?][] = [
  ['a FIFO', (file) => execFileSync('mkfifo', [file])],
  ['a directory', (file) => mkdirSync(file)],
  ['a link to a file', (file) => symlinkSync('/etc/passwd', file)],
  [
    'a link to a device without end, where links are followed',
    (file) => symlinkSync('/dev/zero', file),
    true,
  ],
]

for (const [kind, plant, followLinks = false] of refused) {
  test(`${kind} is refused, to read and to append`, async (t) => {
    const file = join(await temporaryDirectory(t), 'file')
    plant(file)
    const expected = (error: unknown) => hasCode(error, 'BAD_MANIFEST') && error.message.includes(file)
    const options = { ...OPTIONS, code: 'BAD_MANIFEST', followLinks } as const
    assert.throws(() => readSmallFile(file, options), expected)
    assert.throws(() => openUntrusted(file, constants.O_RDWR | constants.O_APPEND, options), expected)
  })
}

test('a socket is refused', async (t) => {
  const file = join(await temporaryDirectory(t), 's')
  const child = spawn(process.execPath, [
    '-e',
    `require('net').createServer().listen(${JSON.stringify(file)}, () => console.log('up'))`,
  ])
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  assert.throws(
    () => readSmallFile(file, OPTIONS),
    (error) => hasCode(error, 'NOT_FILE'),
  )
})

test('a link is followed where its owner may keep the file elsewhere', async (t) => {
  const directory = await temporaryDirectory(t)
  writeFileSync(join(directory, 'there'), 'text')
  symlinkSync('there', join(directory, 'here'))
  assert.equal(readSmallFile(join(directory, 'here'), { ...OPTIONS, followLinks: true }).toString(), 'text')
})

test('nothing there is ENOENT', async (t) => {
  const file = join(await temporaryDirectory(t), 'file')
  assert.throws(
    () => readSmallFile(file, OPTIONS),
    (error) => isErrno(error, 'ENOENT'),
  )
})
