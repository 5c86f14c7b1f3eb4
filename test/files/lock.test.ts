import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { hasCode } from '../../src/errors.ts'
import { symlinkAtomic, writeFileAtomic } from '../../src/files/atomic.ts'
import { isLocked, lockFileSystem, withLock } from '../../src/files/lock.ts'
import { runPowerless } from '../helpers/powerless.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

test('one holder at a time', async (t) => {
  const file = join(await temporaryDirectory(t), 'lock')
  let holders = 0
  const hold = () =>
    withLock(file, async () => {
      assert.equal(++holders, 1)
      await delay(1)
      holders--
    })
  await Promise.all(Array.from({ length: 20 }, hold))
  assert.ok(!isLocked(file))
})

test('a lock that cannot be had is BUSY, and names the file', async (t) => {
  const file = join(await temporaryDirectory(t), 'lock')
  await withLock(file, async () => {
    assert.ok(isLocked(file))
    await assert.rejects(
      withLock(file, () => {}, { waitMs: 10 }),
      (error) => hasCode(error, 'BUSY') && error.message.includes(file),
    )
  })
})

test('the lock is given back when the work throws', async (t) => {
  const file = join(await temporaryDirectory(t), 'lock')
  await assert.rejects(
    withLock(file, () => Promise.reject(new Error('work'))),
    /work/,
  )
  assert.ok(!isLocked(file))
})

test('the lock of a killed holder is taken over once it is stale', async (t) => {
  const file = join(await temporaryDirectory(t), 'lock')
  mkdirSync(`${file}.lock`)
  const longAgo = Date.now() / 1000 - 60
  utimesSync(`${file}.lock`, longAgo, longAgo)
  assert.equal(await withLock(file, () => 'mine', { waitMs: 0 }), 'mine')
})

test('the lock of a killed process is free at once, and only one of many takes it', async (t) => {
  const file = join(await temporaryDirectory(t), 'lock')
  const lock = join(import.meta.dirname, '..', '..', 'src', 'files', 'lock.ts')
  const script = `const { withLock } = await import(${JSON.stringify(lock)})
    await withLock(${JSON.stringify(file)}, () => process.kill(process.pid, 'SIGKILL'))`
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script])
  assert.equal(child.signal, 'SIGKILL')
  assert.ok(isLocked(file))
  let holders = 0
  const hold = () =>
    withLock(
      file,
      async () => {
        assert.equal(++holders, 1)
        await delay(1)
        holders--
      },
      // less than it takes a lock to go stale
      { waitMs: 5000 },
    )
  await Promise.all(Array.from({ length: 20 }, hold))
})

test('a lock that names no holder is believed until it is stale', async (t) => {
  const file = join(await temporaryDirectory(t), 'lock')
  await withLock(file, () => {})
  mkdirSync(`${file}.lock`)
  await assert.rejects(
    withLock(file, () => {}, { waitMs: 50 }),
    (error) => hasCode(error, 'BUSY'),
  )
})

test('a link that somebody put in the place of the lock is not followed', async (t) => {
  const directory = await temporaryDirectory(t)
  const victim = join(directory, 'victim')
  mkdirSync(victim)
  writeFileAtomic(join(victim, 'precious'), 'text')
  symlinkSync(victim, join(directory, 'lock.lock'))
  await assert.rejects(
    withLock(join(directory, 'lock'), () => {}, { waitMs: 20 }),
    (error) => hasCode(error, 'BUSY'),
  )
  assert.deepEqual(readdirSync(victim), ['precious'])
})

test('an atomic link or file replaces what was there and leaves nothing beside it', async (t) => {
  const directory = await temporaryDirectory(t)
  for (const target of ['generations/1', 'generations/2']) symlinkAtomic(target, join(directory, 'current'))
  for (const text of ['one', 'two']) writeFileAtomic(join(directory, 'file'), text)
  assert.equal(readlinkSync(join(directory, 'current')), 'generations/2')
  assert.equal(readFileSync(join(directory, 'file'), 'utf8'), 'two')
  assert.deepEqual(readdirSync(directory).sort(), ['current', 'file'])
})

test('a failed atomic write leaves nothing behind', async (t) => {
  const directory = await temporaryDirectory(t)
  mkdirSync(join(directory, 'in-the-way', 'full'), { recursive: true })
  assert.throws(() => writeFileAtomic(join(directory, 'in-the-way'), 'text'))
  assert.throws(() => symlinkAtomic('target', join(directory, 'in-the-way')))
  assert.deepEqual(readdirSync(directory), ['in-the-way'])
})

test('a link in the place of a lock is looked at and touched itself, not what it leads to', async (t) => {
  const directory = await temporaryDirectory(t)
  const [target, lock] = [join(directory, 'target'), join(directory, 'x.lock')]
  writeFileSync(target, '')
  utimesSync(target, 1000, 1000)
  symlinkSync(target, lock)
  await promisify(lockFileSystem.utimes)(lock, 2000, 2000)
  assert.equal((await promisify(lockFileSystem.stat)(lock)).isSymbolicLink(), true)
  assert.deepEqual([statSync(target).mtimeMs, lstatSync(lock).mtimeMs], [1_000_000, 2_000_000])
})

test('of a lock in a directory that one may not write the directory is named', async (t) => {
  const directory = await temporaryDirectory(t)
  chmodSync(directory, 0o555)
  const module = JSON.stringify(new URL('../../src/files/lock.ts', import.meta.url).href)
  const script = `import { withLock } from ${module}
    await withLock(process.argv[1], () => {}).catch(({ code, message }) => console.log(code, message))`
  const { stdout } = runPowerless(['--input-type=module', '-e', script, join(directory, 'x')])
  assert.equal(stdout, `EACCES EACCES: permission denied, lock '${directory}'\n`)
})
