import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { isRunning, readPidFile, runningProcess, writePidFile } from '../../src/files/pid-file.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

test('names this process, which runs', async (t) => {
  const file = join(await temporaryDirectory(t), 'pid')
  const written = writePidFile(file)
  assert.equal(written.pid, process.pid)
  assert.deepEqual(runningProcess(file), written)
})

test('the same pid with another start time or boot is another process', async (t) => {
  const self = writePidFile(join(await temporaryDirectory(t), 'pid'))
  assert.equal(isRunning({ ...self, start: '1' }), false)
  assert.equal(isRunning({ ...self, boot: 'another' }), false)
})

for (const text of ['', '\n', 'abc\n1\nb\n', '12', '-1\n1\nb\n', '12\n\n\n']) {
  test(`${JSON.stringify(text)} is no pid file`, async (t) => {
    const file = join(await temporaryDirectory(t), 'pid')
    writeFileSync(file, text)
    assert.equal(readPidFile(file), undefined)
  })
}

test('in a copied directory it names nobody; in one that was moved the same process', async (t) => {
  const directory = await temporaryDirectory(t)
  mkdirSync(join(directory, 'one'))
  const self = writePidFile(join(directory, 'one', 'pid'))
  cpSync(join(directory, 'one'), join(directory, 'two'), { recursive: true, preserveTimestamps: true })
  assert.equal(readPidFile(join(directory, 'two', 'pid')), undefined)
  renameSync(join(directory, 'one'), join(directory, 'three'))
  assert.deepEqual(runningProcess(join(directory, 'three', 'pid')), self)
})

test('a missing file names nobody', async (t) => {
  assert.equal(readPidFile(join(await temporaryDirectory(t), 'pid')), undefined)
})

test('a zombie does not run', async (t) => {
  // The shell becomes the second sleep, which never waits for the first.
  const script = 'sleep 0.3 & echo $!; exec sleep 30'
  const parent = spawn('/bin/sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] })
  t.after(() => parent.kill('SIGKILL'))
  const [line] = (await once(parent.stdout, 'data')) as [Buffer]
  const pid = Number(line.toString())
  const { boot, namespace } = writePidFile(join(await temporaryDirectory(t), 'pid'))
  const child = { pid, start: statField(pid, 22), boot, namespace }
  assert.equal(isRunning(child), true)
  while (statField(pid, 3) !== 'Z') await delay(20)
  assert.equal(isRunning(child), false)
})

/** A field of proc_pid_stat(5), for a command without spaces. */
function statField(pid: number, field: number): string {
  return readFileSync(`/proc/${pid}/stat`, 'latin1').split(' ')[field - 1] ?? ''
}
