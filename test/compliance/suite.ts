// What users of a store may count on, however programs see it: one list of checks for
// the mount and for checkouts. Real processes, real programs, real trees.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, describe as group, test } from 'node:test'
import type { StoreMode } from '../../src/mount/mode.ts'
import { describe } from '../checkout/trees.ts'
import { makeProgram } from '../cli/harness.ts'
import { type Machine, machine } from '../e2e/machine.ts'
import { randomTree, writeTree } from '../helpers/disk-tree.ts'
import { runPowerless } from '../helpers/powerless.ts'
import { errnoName } from '../mount/mounted.ts'

/** Of what the program below is packed to: the same in both modes, and on every machine. */
const HELLO_CID = 'bafybeidsaxwnaxu3czv7mqgw2w2jz7u5diagutopgbuywdox3m2r6jvuym'
const SEED = 7
/** Processes at once. */
const MANY = 5

export type ComplianceOptions = {
  /** why the mode cannot be had here */
  skip: string | false
  /** steps at which an install is killed, by the names of their failpoints */
  killAt: readonly string[]
}

export async function compliance(mode: StoreMode, { skip, killAt }: ComplianceOptions): Promise<void> {
  // Where the mode cannot be had every test is skipped, and none looks at it.
  const box = skip ? ({} as Machine) : await machine({ after }, { 'store.mode': mode })
  group(`${mode}:`, { skip }, () => {
    const source = (name: string) => join(box.directory, name)
    const program = (name: string, text: string) => makeProgram(source(`${name}-${text}`), name, text)
    const add = async (path: string) => {
      const text = await box.pkg('store', 'add', path, '--pin', 'added', '--json')
      const { cid } = JSON.parse(text) as { cid: string }
      assert.equal((await box.pkg('store', 'checkout', cid)).trim(), box.store(cid))
      return cid
    }
    const profile = (...rest: string[]) => join(box.home, '.pkg-profile', ...rest)

    test('a tree has the names, bytes, targets, modes and times of its DAG', async () => {
      writeTree(source('tree'), randomTree(SEED, 60))
      const cid = await add(source('tree'))
      const expected = describe(source('tree'))
      assert.deepEqual(describe(box.store(cid)), expected, `seed ${SEED}`)
      assert.deepEqual(modes(box.store(cid)), expectedModes(source('tree')))
    })

    test('a file and a symlink are there by their own CIDs', async () => {
      writeFileSync(source('file'), 'bytes')
      assert.equal(readFileSync(box.store(await add(source('file'))), 'utf8'), 'bytes')
    })

    test('what is not there is not found', () => {
      assert.equal(
        errnoName(() => readFileSync(box.store('no-cid'))),
        'ENOENT',
      )
      const [cid] = readdirSync(box.store()).filter((name) => name.startsWith('bafy'))
      assert.equal(
        errnoName(() => readFileSync(box.store(cid!, 'nothing'))),
        'ENOENT',
      )
    })

    test('nobody writes into a tree', () => {
      const [cid] = readdirSync(box.store()).filter((name) => name.startsWith('bafy'))
      const script = `
        const { readdirSync, writeFileSync, lstatSync } = require('node:fs')
        const root = process.argv[1]
        const file = readdirSync(root).find((name) => lstatSync(root + '/' + name).isFile())
        for (const name of ['new', ...(file ? [file] : [])]) {
          try { writeFileSync(root + '/' + name, ''); process.exitCode = 1 } catch ({ code }) { console.log(code) }
        }`
      const { status, stdout } = runPowerless(['-e', script, box.store(cid!)])
      assert.equal(status, 0)
      assert.match(stdout, /^(EACCES|EROFS|EPERM)$/m)
    })

    test('a program that is installed runs from its own store path', async () => {
      const cid = await box.pack(program('hello', 'one'), 'hello@1.0.0')
      assert.equal(cid, HELLO_CID)
      await box.pkg('install', cid)
      assert.equal(box.run('hello', 'world'), 'one world\n')
      assert.equal(realpathSync(profile('bin', 'hello')), realpathSync(box.store(cid, 'bin', 'hello')))
      assert.equal(readlinkSync(profile('bin', 'hello')), realpathSync(box.store(cid, 'bin', 'hello')))
    })

    test('an environment leads to its packages as a whole', () => {
      assert.match(readFileSync(profile('packages', 'hello', 'bin', 'hello'), 'utf8'), /echo one/)
      assert.deepEqual(readdirSync(profile('packages')), ['hello'])
      assert.deepEqual(readdirSync(profile('packages', 'hello')).sort(), ['.pkg', 'bin'])
    })

    test('a program runs what it depends on', async () => {
      const library = await box.pack(program('base', 'base'), 'base@1.0.0')
      mkdirSync(source('top/bin'), { recursive: true })
      const script =
        '#!/bin/sh\nexec "$(dirname "$(readlink -f "$0")")/../.pkg/dependencies/base/bin/base" top\n'
      writeFileSync(source('top/bin/top'), script, { mode: 0o755 })
      await box.pkg('install', await box.pack(source('top'), 'top@1.0.0', '--dependency', `base=${library}`))
      assert.equal(box.run('top'), 'base top\n')
    })

    test('a real program of many megabytes runs: Node.js', async () => {
      mkdirSync(source('node/bin'), { recursive: true })
      copyFileSync(process.execPath, source('node/bin/node'))
      await box.pkg('install', await box.pack(source('node'), `node@${process.versions.node}`))
      const script = 'console.log(process.execPath, 6 * 7)'
      assert.match(box.run('node', '-e', script), /\/store\/bafy[a-z2-7]+\/bin\/node 42$/m)
    })

    test('upgrade, rollback, switch and remove take effect at once', async () => {
      await box.pkg('install', await box.pack(program('hello', 'two'), 'hello@2.0.0'))
      assert.equal(box.run('hello'), 'two\n')
      await box.pkg('rollback')
      assert.equal(box.run('hello'), 'one\n')
      const { generations } = JSON.parse(await box.pkg('history', '--json')) as { generations: unknown[] }
      await box.pkg('switch', String(generations.length))
      assert.equal(box.run('hello'), 'two\n')
      await box.pkg('remove', 'hello')
      assert.throws(() => box.run('hello'), { code: 'ENOENT' })
      await box.pkg('rollback')
    })

    test('a program runs without being installed', async () => {
      assert.equal(await box.pkg('run', HELLO_CID, '--', 'x'), 'one x\n')
    })

    test('a collection takes what nothing keeps, and leaves what runs', async () => {
      const cid = await box.pack(program('gone', 'gone'), 'gone@1.0.0')
      writeFileSync(source('gone-gone/bin/more'), '#!/bin/sh\necho more\n', { mode: 0o755 })
      const sleeper = makeProgram(source('sleeper'), 'sleeper', 'x')
      writeFileSync(join(sleeper, 'bin', 'sleeper'), '#!/bin/sh\nread line\n. "$(dirname "$0")/../late"\n', {
        mode: 0o755,
      })
      writeFileSync(join(sleeper, 'late'), 'echo late\n')
      const sleeping = await box.pack(sleeper, 'sleeper@1.0.0')
      await box.pkg('run', cid)
      await box.pkg('store', 'checkout', sleeping)
      const running = spawn(box.store(sleeping, 'bin', 'sleeper'), { stdio: ['pipe', 'pipe', 'inherit'] })
      let said = ''
      running.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text
      })
      await once(running, 'spawn')
      try {
        for (const name of ['gone', 'sleeper']) await box.pkg('pin', 'remove', name)
        await box.pkg('gc')
        // The kernel may go on showing what it has seen of a mount.
        assert.equal((await box.try(['store', 'ls', cid])).status, 3)
      } finally {
        running.stdin.end('\n')
        await once(running, 'close')
      }
      assert.equal(said, 'late\n')
      assert.equal(box.run('hello'), 'two\n')
    })

    for (const point of killAt) {
      test(`an install that is killed at "${point}" leaves the old programs or the new ones`, async () => {
        const name = `at-${point.replace(/\W/g, '-')}`
        const cid = await box.pack(program(name, name), `${name}@1.0.0`)
        const { signal } = await box.try(['install', cid], { PKG_TEST_KILL_AT: point })
        assert.equal(signal, 'SIGKILL')
        assert.equal(box.run('hello'), 'two\n')
        await box.pkg('install', cid)
        assert.equal(box.run(name), `${name}\n`)
      })
    }

    test(`${MANY} installs of packages, and ${MANY} runs of one, at once`, async () => {
      const numbers = Array.from({ length: MANY }, (_, index) => index)
      const cids: string[] = []
      for (const n of numbers) cids.push(await box.pack(program(`p${n}`, `${n}`), `p${n}@1.0.0`))
      const once = await box.pack(program('once', 'once'), 'once@1.0.0')
      const runs = numbers.map(() => box.pkg('run', once))
      await Promise.all([...cids.map((cid) => box.pkg('install', cid)), ...runs])
      for (const n of numbers) assert.equal(box.run(`p${n}`), `${n}\n`)
      for (const run of runs) assert.equal(await run, 'once\n')
    })

    test('after all that a collection leaves a store that is whole, and programs that run', async () => {
      await box.pkg('gc', '--keep', '2')
      assert.match(await box.pkg('store', 'verify'), /all good/)
      assert.equal(box.run('hello'), 'two\n')
      assert.equal(box.run('top'), 'base top\n')
      const names = readdirSync(box.store()).filter((name) => !name.startsWith('bafy') && name !== '.files')
      assert.deepEqual(
        names.filter((name) => name.startsWith('.')),
        [],
      )
    })
  })
}

function modes(root: string): Record<string, string> {
  return Object.fromEntries(
    Object.keys(describe(root)).map((path) => {
      const stats = lstatSync(join(root, path))
      return [path, `${(stats.mode & 0o7777).toString(8)} ${stats.mtimeMs}`]
    }),
  )
}

/** Executable or not is what a DAG keeps of a mode, and of times nothing. */
function expectedModes(root: string): Record<string, string> {
  return Object.fromEntries(
    Object.keys(describe(root)).map((path) => {
      const stats = lstatSync(join(root, path))
      const executable = stats.isDirectory() || (stats.mode & 0o100) !== 0
      return [path, `${stats.isSymbolicLink() ? '777' : executable ? '555' : '444'} 0`]
    }),
  )
}
