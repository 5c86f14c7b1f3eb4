// `pkg run`: the program's streams, arguments, exit status and signals. Needs a mount.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { prefixPaths } from '../../src/paths.ts'
import { LAUNCHER, sandbox } from './harness.ts'

const box = await sandbox({ after })
const programs = {
  tool: 'printf "%s|" "$@"; cat; exit 7',
  waits: 'trap "echo got it; exit 9" TERM; echo ready; while :; do sleep 0.1; done',
  dies: 'kill -KILL $$',
  shows: 'printf "[%s][%s]" "$NODE_OPTIONS" "$PROGRAMS_NODE_OPTIONS"',
}
mkdirSync(join(box.directory, 'tool', 'bin'), { recursive: true })
for (const [name, script] of Object.entries(programs)) {
  writeFileSync(join(box.directory, 'tool', 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
}
const cid = await box.brief('pack', 'tool', '--as', 'tool@1.0.0')
const { mounted, reason } =
  (await box.run(['daemon', 'start'])).status === 0
    ? { mounted: true, reason: '' }
    : { mounted: false, reason: 'this machine cannot mount' }
const options = { skip: !mounted && reason }

test('arguments, standard input and exit status are the program’s', options, async () => {
  const { status, stdout, stderr } = await box.run(['run', cid, '--', '-x', 'a b', '--', ''], { input: 'in' })
  assert.deepEqual([status, stdout, stderr], [7, '-x|a b|--||in', ''])
})

test('NODE_OPTIONS are the program’s, not those of the Node that starts it', options, async () => {
  const shown = async (env: NodeJS.ProcessEnv) => (await box.run(['run', cid, '-p', 'shows'], { env })).stdout
  assert.equal(await shown({ PROGRAMS_NODE_OPTIONS: '--bad', NODE_OPTIONS: '' }), '[--bad][]')
  assert.equal(await shown({ PROGRAMS_NODE_OPTIONS: '', NODE_OPTIONS: '--no-warnings' }), '[][]')
  assert.equal(await shown({ NODE_OPTIONS: '--no-warnings' }), '[--no-warnings][]')
})

test('--program takes another program; an unknown one lists them', options, async () => {
  assert.equal((await box.run(['run', cid, '-p', 'dies'])).status, 128 + 9)
  const { status, stderr } = await box.run(['run', cid, '-p', 'none'])
  assert.equal(status, 3)
  assert.match(stderr, /hint: Its programs: dies, shows, tool, waits\./)
})

test('a signal reaches the program, and a temp pin holds it while it runs', options, async (t) => {
  const child = spawn(LAUNCHER, ['run', cid, '-p', 'waits'], {
    env: box.env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  let said = ''
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (text) => {
      said += text
      resolve()
    })
  })
  const pins = readdirSync(prefixPaths(box.prefix).tempPins)
  assert.ok(pins.some((name) => name.startsWith(`${child.pid}-`)))
  child.kill('SIGTERM')
  const status = await new Promise((resolve) => child.once('close', resolve))
  assert.deepEqual([status, said], [9, 'ready\ngot it\n'])
})

test('an installed program runs from the profile', options, async () => {
  await box.brief('install', cid)
  const child = spawn(join(box.home, '.pkg-profile', 'bin', 'tool'), ['x'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [text, status] = await Promise.all([
    child.stdout.setEncoding('utf8').toArray(),
    new Promise((resolve) => child.once('close', resolve)),
  ])
  assert.deepEqual([text.join(''), status], ['x|', 7])
})
