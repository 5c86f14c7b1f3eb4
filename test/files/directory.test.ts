import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeDirectory } from '../../src/files/directory.ts'
import { runPowerless } from '../helpers/powerless.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

const MODULE = join(import.meta.dirname, '..', '..', 'src', 'files', 'directory.ts')

/** A program that makes the directory and says with which code it failed. */
const program = (path: string) => [
  '--input-type=module',
  '--eval',
  `import { makeDirectory } from ${JSON.stringify(MODULE)}
   try { makeDirectory(${JSON.stringify(path)}); console.log('made') } catch (error) { console.log(error.code, error.message) }`,
]

test('makes a directory and those above it, and may be called again', async (t) => {
  const path = join(await temporaryDirectory(t), 'a', 'b', 'c')
  makeDirectory(path)
  makeDirectory(path)
  assert.ok(statSync(path).isDirectory())
})

test('a file system that answers mkdir with "no such file" ends in an error, not in a loop', () => {
  for (const path of ['/proc/x', '/proc/x/y/z']) {
    // A loop on the main thread can only be ended from outside.
    const { signal, stdout } = spawnSync(process.execPath, program(path), {
      encoding: 'utf8',
      timeout: 10_000,
      killSignal: 'SIGKILL',
    })
    assert.equal(signal, null)
    assert.match(stdout, /^PERMISSION \/proc\/x cannot be made/)
  }
})

test('a link to a directory counts as one; a file, or a link to nothing, is in the way', async (t) => {
  const directory = await temporaryDirectory(t)
  mkdirSync(join(directory, 'real'))
  symlinkSync('real', join(directory, 'link'))
  makeDirectory(join(directory, 'link', 'below'))
  writeFileSync(join(directory, 'file'), '')
  symlinkSync('nothing', join(directory, 'dangling'))
  for (const path of ['file', 'file/below', 'dangling', 'dangling/below']) {
    assert.throws(() => makeDirectory(join(directory, path)), { code: 'NOT_DIRECTORY' }, path)
  }
})

test('a directory that this user may not write is refused by the kernel’s word', async (t) => {
  const directory = await temporaryDirectory(t)
  mkdirSync(join(directory, 'closed'))
  chmodSync(join(directory, 'closed'), 0o555)
  const { stdout } = runPowerless(program(join(directory, 'closed', 'a', 'b')))
  assert.match(stdout, /^EACCES/)
})
