import assert from 'node:assert/strict'
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  fuseChecks,
  guestAt,
  nodeCheck,
  pathCheck,
  prefixCheck,
  runDoctor,
} from '../../src/daemon/doctor/doctor.ts'
import { writePidFile } from '../../src/files/pid-file.ts'
import { modeInForce } from '../../src/mount/mode.ts'
import { checkHelper, checkRights } from '../../src/mount/requirements.ts'
import { prefixPaths } from '../../src/paths.ts'
import { temporaryStore } from '../helpers/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

test('each finding has a name of its own and a detail, and a hint unless all is well', async (t) => {
  const checks = await runDoctor(prefixPaths(join(await temporaryDirectory(t), 'not', 'there')))
  assert.equal(new Set(checks.map(({ name }) => name)).size, checks.length)
  for (const { name, ok, detail, hint } of checks) {
    assert.ok(detail, name)
    assert.ok(ok === true || hint, `${name} has no hint: ${detail}`)
  }
})

test('a prefix that is not there yet can be written where the one above can', async (t) => {
  const check = prefixCheck(prefixPaths(join(await temporaryDirectory(t), 'not', 'there')))
  assert.equal(check.ok, true)
})

test('PATH with the profile is well, without it a note', () => {
  assert.equal(pathCheck({ HOME: '/home/a', PATH: '/bin:/home/a/.pkg-profile/bin' }).ok, true)
  assert.equal(pathCheck({ HOME: '/home/a', PATH: '/bin' }).ok, 'note')
  assert.equal(pathCheck({ HOME: '/home/a' }).ok, 'note')
  assert.match(pathCheck({ HOME: '/home/a' }).hint ?? '', /`pkg init --modify-shell`/)
})

test('another Node.js than the tested one is a note', () => {
  assert.equal(nodeCheck('24.21.0').ok, true)
  assert.equal(nodeCheck('26.0.0').ok, 'note')
})

test('fusermount without the setuid bit is an error for a user and a note for root', async (t) => {
  const file = join(await temporaryDirectory(t), 'fusermount')
  writeFileSync(file, '')
  chmodSync(file, 0o755)
  assert.equal(checkHelper(1000, file).ok, false)
  assert.equal(checkHelper(0, file).ok, 'note')
})

const CLOSED = { name: 'fuse device', ok: false, detail: '/dev/fuse is closed', hint: 'chmod' } as const
const store = '/ipfs/store'

test('what a mount of one’s own would need is a note on a mount that another user serves', () => {
  const guest = guestAt({ mountpoint: store, options: ['rw', 'user_id=0', 'allow_other'] }, 1000)
  const [check] = fuseChecks([CLOSED], guest)
  assert.equal(check?.ok, 'note')
  assert.match(check.detail, /another user serves \/ipfs\/store/)
})

test('it is a problem without a mount, on one’s own, and on one that lets nobody in', () => {
  const own = guestAt({ mountpoint: store, options: ['user_id=1000', 'allow_other'] }, 1000)
  const closed = guestAt({ mountpoint: store, options: ['user_id=0'] }, 1000)
  assert.equal(own, undefined)
  assert.deepEqual(closed, { store, open: false })
  for (const guest of [undefined, own, closed]) assert.deepEqual(fuseChecks([CLOSED], guest), [CLOSED])
})

test('wrong settings are a finding of doctor, and no end of it', async (t) => {
  const { paths } = await temporaryStore(t)
  writeFileSync(paths.config, '{"store.mode":"mounted"}')
  const found = (await runDoctor(paths)).find(({ name }) => name === 'store mode')
  assert.equal(found?.ok, false)
  assert.match(`${found?.detail}`, /"store.mode" must be one of auto, mount, checkout/)
})

test('in checkout mode what a mount lacks is a note, and the mode says why', async (t) => {
  const { paths } = await temporaryStore(t)
  writeFileSync(paths.config, '{"store.mode":"checkout"}')
  const found = await runDoctor(paths)
  assert.match(`${found.find(({ name }) => name === 'store mode')?.detail}`, /^checkout.*says so/)
  assert.equal(found.find(({ name }) => name === 'mount')?.ok, true)
})

test('a container that may not mount is told from one that may', () => {
  const status = (effective: string, bounding: string, noNew: number) =>
    `CapEff:\t${effective}\nCapBnd:\t${bounding}\nNoNewPrivs:\t${noNew}\n`
  const [none, all] = ['00000000a80425fb', '000001ffffffffff']
  assert.equal(checkRights(0, status(all, all, 0)).ok, true)
  assert.equal(checkRights(0, status(none, all, 0)).ok, false)
  assert.equal(checkRights(1000, status('0000000000000000', all, 0)).ok, true)
  assert.equal(checkRights(1000, status(none, none, 0)).ok, false)
  assert.equal(checkRights(1000, status(none, all, 1)).ok, false)
})

test('while root’s daemon does not run, what another user could mount decides nothing', {
  skip: process.getuid?.() !== 0 && 'needs a prefix of root’s',
}, async (t) => {
  const { paths } = await temporaryStore(t)
  const undecided = { mode: 'mount', why: "root's daemon decides, and it does not run", undecided: true }
  assert.deepEqual(modeInForce(paths, 1000), undecided)
  assert.equal(modeInForce(paths, 0).undecided, undefined)
  writePidFile(paths.daemonPid)
  assert.equal(modeInForce(paths, 1000).undecided, undefined)
  rmSync(paths.daemonPid)
  writeFileSync(paths.config, '{"store.mode":"checkout"}')
  assert.equal(modeInForce(paths, 1000).mode, 'checkout')
})
