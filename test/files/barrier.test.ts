// A flush that fails says which disk, and why.

import assert from 'node:assert/strict'
import { closeSync, openSync } from 'node:fs'
import { test } from 'node:test'
import { codeOf, hasCode } from '../../src/errors.ts'
import { flushFile, writeAll } from '../../src/files/atomic.ts'
import { syncFilesystem } from '../../src/files/barrier.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

test('a file system is flushed; one that is not there is named', async (t) => {
  const directory = await temporaryDirectory(t)
  await syncFilesystem(directory)
  await assert.rejects(syncFilesystem(`${directory}/none`), (error: Error) => {
    return hasCode(error, 'NOT_FOUND') && error.message.startsWith(`${directory}/none cannot be flushed: `)
  })
})

test('a write that fails names its file', (t) => {
  const fd = openSync('/dev/full', 'w')
  t.after(() => closeSync(fd))
  assert.throws(
    () => writeAll(fd, Buffer.from('x')),
    (error: Error) => codeOf(error) === 'NO_SPACE' && error.message.endsWith(" '/dev/full'"),
  )
})

test('a flush that fails names its file', (t) => {
  const fd = openSync('/dev/null', 'w')
  t.after(() => closeSync(fd))
  assert.throws(() => flushFile(fd), / '\/dev\/null'$/)
})
