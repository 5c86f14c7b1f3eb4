// What others own is no place for root to work in by paths: a link of theirs would lead it elsewhere.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { prefixPaths } from '../../src/paths.ts'
import { makeProgram } from '../cli/harness.ts'
import { accounts } from './accounts.ts'
import { WITHOUT_USERS } from './machine.ts'

const skip = WITHOUT_USERS

test('root and places of another user', { skip }, async (t) => {
  const { root, anna, directory } = await accounts(t)
  const victim = join(directory, 'victim')
  mkdirSync(victim)
  const precious = join(victim, 'precious')
  writeFileSync(precious, 'precious')
  const untouched = () => {
    assert.deepEqual(readdirSync(victim), ['precious'])
    assert.equal(readFileSync(precious, 'utf8'), 'precious')
  }
  const asAnna = async (script: string) => {
    const { status, stderr } = await anna.run(['/bin/sh', '-ec', script])
    assert.equal(status, 0, stderr)
  }
  const cid = await root.brief(
    'pack',
    makeProgram(join(directory, 'tool'), 'tool', '1'),
    '--as',
    'tool@1.0.0',
  )

  await t.test('a profile whose generations lead elsewhere is not written', async () => {
    const profile = join(anna.home, 'planted')
    await asAnna(`mkdir planted && ln -s '${victim}' planted/generations`)
    const { status, stderr } = await root.pkg('install', cid, '--profile', profile)
    assert.equal(status, 7, stderr)
    assert.match(stderr, /root does not work in .*planted.* belongs to uid/)
    untouched()
  })

  await t.test('nor one that was root’s in a directory of theirs, by a switch', async () => {
    const own = join(directory, 'own')
    await root.brief('install', cid, '--profile', own)
    assert.equal((await root.pkg('switch', '1', '--profile', own)).status, 0)
    await asAnna(`ln -s '${own}' led`)
    const { status, stderr } = await root.pkg('switch', '1', '--profile', join(anna.home, 'led'))
    assert.equal(status, 7, stderr)
    assert.match(stderr, /belongs to uid/)
  })

  await t.test('their prefix gets no daemon of root’s, and no log', async () => {
    const prefix = join(anna.home, 'prefix')
    await asAnna('mkdir -p prefix/var')
    await asAnna(`ln -s '${precious}' prefix/var/pkg.log`)
    const { status, stderr } = await root.pkg('daemon', 'start', '--prefix', prefix)
    assert.equal(status, 7, stderr)
    assert.match(stderr, /root does not work in .* belongs to uid/)
    untouched()
  })

  await t.test('no process of root’s ends by the word of their pid file', async (t) => {
    const sleep = spawn('sleep', ['60'], { stdio: 'ignore' })
    t.after(() => sleep.kill('SIGKILL'))
    const { daemonPid, var: variable } = prefixPaths(join(anna.home, 'prefix'))
    const start = readFileSync(`/proc/${sleep.pid}/stat`, 'latin1').split(' ')[21]
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
    await asAnna(`printf '%s\\n' ${sleep.pid} ${start} ${boot} > '${daemonPid}'`)
    const { stdout, stderr } = await root.pkg('daemon', 'stop', '--prefix', join(variable, '..'))
    assert.match(stdout + stderr, /No daemon runs/)
    assert.equal(sleep.exitCode ?? sleep.signalCode, null)
  })

  await t.test('the log of root’s own daemon goes through no link', async () => {
    const paths = prefixPaths(join(directory, 'roots'))
    mkdirSync(paths.var, { recursive: true })
    symlinkSync(precious, paths.log)
    const { status, stderr } = await root.pkg('daemon', 'start', '--prefix', paths.root)
    assert.equal(status, 4, stderr)
    assert.match(stderr, /pkg\.log is a symlink/)
    assert.equal(statSync(precious).size, 8)
  })
})
