// A disk with no room, with no inodes, and one that became read-only: the real thing.
// What was there stays, a collection works where it makes room, and afterwards all does.

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { isErrno } from '../../src/errors.ts'
import { LAUNCHER, type Outcome, outcome } from '../cli/harness.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { checkPrefix } from '../stress/checker.ts'
import { bytesOf, writeProgram, writeTree } from '../stress/content.ts'

const NOT_ROOT = process.getuid?.() === 0 ? false : 'only root can mount a small file system'

type SmallDisk = {
  prefix: string
  work: string
  disk: string
  /** Runs `pkg`; throws unless it ends with this status. */
  pkg(status: number, ...words: string[]): Promise<Outcome>
}

/** A prefix on a disk of its own, with something installed, pinned, and dead, while `fn` runs. */
async function onSmallDisk(
  t: TestContext,
  options: string,
  fn: (on: SmallDisk) => Promise<void>,
): Promise<void> {
  const directory = await temporaryDirectory(t)
  const [disk, work] = ['disk', 'work'].map((name) => join(directory, name)) as [string, string]
  const prefix = join(disk, 'prefix')
  execFileSync('mkdir', [disk, work])
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', disk])
  const env = { ...process.env, HOME: work, PKG_PREFIX: prefix, CI: '1' }
  const pkg = async (status: number, ...words: string[]) => {
    const ended = await outcome([LAUNCHER, ...words], { cwd: work, env })
    assert.equal(ended.status, status, `pkg ${words.join(' ')}: ${ended.stderr}`)
    return ended
  }
  try {
    const tree = (name: string) => writeTree(join(work, name), new Map([['file', bytesOf(name, 400_000)]]))
    await pkg(0, 'store', 'add', tree('kept'), '--pin', 'kept')
    await pkg(0, 'store', 'add', tree('dead'))
    await pkg(0, 'pack', writeProgram(join(work, 'tool'), 'tool', '1.0.0'), '--as', 'tool@1.0.0')
    tree('new')
    await fn({ prefix, work, disk, pkg })
    assert.deepEqual(checkPrefix(prefix), [])
    await pkg(0, 'store', 'add', join(work, 'new'), '--pin', 'new')
    await pkg(0, 'gc')
    assert.deepEqual(checkPrefix(prefix), [])
  } finally {
    spawnSync('umount', ['-l', disk])
  }
}

/** Takes what is left of a disk; gives how to give it back. */
function fill(disk: string): () => void {
  const file = join(disk, 'filler')
  const fd = openSync(file, 'w')
  for (let size = 1024 * 1024; size >= 1; ) {
    try {
      writeSync(fd, Buffer.alloc(size))
    } catch (error) {
      if (!isErrno(error, 'ENOSPC')) throw error
      size = Math.floor(size / 2)
    }
  }
  closeSync(fd)
  return () => rmSync(file)
}

function takeInodes(disk: string): () => void {
  const files: string[] = []
  for (;;) {
    const file = join(disk, `filler${files.length}`)
    try {
      writeFileSync(file, '')
    } catch (error) {
      if (!isErrno(error, 'ENOSPC')) throw error
      return () => {
        for (const one of files) rmSync(one)
      }
    }
    files.push(file)
  }
}

for (const [what, options, take] of [
  ['no room', 'size=16m', fill],
  ['no inodes', 'size=64m,nr_inodes=1400', takeInodes],
] as const) {
  test(`${what}: an add says so, a collection makes some`, { skip: NOT_ROOT }, async (t) => {
    await onSmallDisk(t, options, async ({ prefix, work, disk, pkg }) => {
      const giveBack = take(disk)
      const { stderr } = await pkg(9, 'store', 'add', join(work, 'new'), '--pin', 'new')
      assert.match(stderr, /^pkg: .*no space left on device.*pkg gc/s)
      assert.deepEqual(checkPrefix(prefix), [])
      const { stdout } = await pkg(0, 'gc', '--json')
      assert.ok(JSON.parse(stdout).blocks > 0)
      giveBack()
    })
  })
}

test('a file system that becomes read-only: reading works, all else says so', {
  skip: NOT_ROOT,
}, async (t) => {
  await onSmallDisk(t, 'size=64m', async ({ work, disk, pkg }) => {
    execFileSync('mount', ['-o', 'remount,ro', disk])
    await pkg(0, 'pin', 'list')
    for (const words of [
      ['store', 'add', join(work, 'new'), '--pin', 'new'],
      ['pin', 'remove', 'kept'],
      ['gc'],
    ]) {
      const { stderr } = await pkg(7, ...words)
      assert.match(stderr, /read-only/)
    }
    execFileSync('mount', ['-o', 'remount,rw', disk])
  })
})
