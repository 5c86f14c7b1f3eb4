// The link in the home, PATH, and profiles of one's own: what is said, and what is refused.

import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { makeProgram, type Outcome, sandbox } from './harness.ts'

const box = await sandbox({ after })
const at = (...parts: string[]) => join(box.directory, ...parts)
const link = join(box.home, '.pkg-profile')
const dir = (prefix: string) => join(prefix, 'profiles', 'per-user', userInfo().username)

const hello = await box.brief('pack', makeProgram(at('hello'), 'hello', 'hi'), '--as', 'hello@1.0.0')
const other = await box.brief('pack', makeProgram(at('other'), 'other', 'ho'), '--as', 'other@1.0.0')
const elsewhere = at('elsewhere')

beforeEach(() => {
  rmSync(link, { force: true, recursive: true })
  rmSync(join(box.home, '.bashrc'), { force: true })
})

const init = (...words: string[]) => box.run(['init', '--no-mount', ...words])
const done = ({ status, stderr }: Outcome) => assert.equal(status, 0, stderr)

test('init says where the link led and where it leads', async () => {
  symlinkSync(join(dir(elsewhere), 'current'), link)
  const { status, stdout } = await init()
  assert.equal(status, 0)
  const [before, now] = [elsewhere, box.prefix].map((prefix) => join(dir(prefix), 'current'))
  assert.ok(stdout.includes(`${link} led to ${before}, now leads to ${now}\n`), stdout)
  assert.equal(readlinkSync(link), now)
  assert.doesNotMatch((await init()).stdout, / led to /)
})

test('init leaves a profile with generations only with --force, and makes nothing before', async () => {
  mkdirSync(join(dir(elsewhere), 'generations'), { recursive: true })
  symlinkSync('../../../../store/x', join(dir(elsewhere), 'generations', '1'))
  const target = join(dir(elsewhere), 'current')
  symlinkSync(target, link)
  const refused = await init('--prefix', at('fresh'))
  assert.equal(refused.status, 5)
  assert.match(refused.stderr, /hint: .*pkg init --force/)
  assert.equal(readlinkSync(link), target)
  assert.throws(() => readFileSync(at('fresh')), { code: 'ENOENT' })
  const forced = await init('--force')
  assert.match(forced.stdout, / led to /)
  assert.equal(readlinkSync(link), join(dir(box.prefix), 'current'))
})

test('init does not replace what is no link', async () => {
  writeFileSync(link, 'mine')
  const { status, stderr } = await init('--force')
  assert.equal(status, 5)
  assert.match(stderr, /\.pkg-profile is no link/)
  assert.equal(readFileSync(link, 'utf8'), 'mine')
})

test('the PATH hint names the link’s bin, and comes once', async () => {
  const first = await box.run(['install', hello])
  assert.match(first.stderr, new RegExp(`${join(link, 'bin')} is not in PATH`))
  assert.match(first.stderr, /pkg init --modify-shell/)
  for (const words of [
    ['install', other],
    ['install', hello],
    ['remove', 'other'],
  ]) {
    const { stderr } = await box.run(words)
    assert.doesNotMatch(stderr, /PATH/)
  }
  await box.run(['remove', 'hello'])
})

test('no PATH hint after --modify-shell', async () => {
  done(await init('--modify-shell'))
  rmSync(link)
  const { stderr } = await box.run(['install', hello])
  assert.doesNotMatch(stderr, /PATH/)
})

test('after each change of a profile that the link does not lead to, just that is said', async () => {
  symlinkSync(join(dir(elsewhere), 'current'), link)
  for (const line of [`install ${other}`, 'remove other', 'rollback', 'switch 1', `install ${hello}`]) {
    const { status, stderr } = await box.run(line.split(' '))
    assert.equal(status, 0, stderr)
    assert.ok(stderr.includes(`${link} leads to ${join(dir(elsewhere), 'current')}`), `${line}: ${stderr}`)
    assert.ok(stderr.includes(join(dir(box.prefix), 'current', 'bin')), `${line}: ${stderr}`)
    assert.doesNotMatch(stderr, /not in PATH|\.bashrc/)
  }
})

test('an install into a profile of one’s own says where its programs are', async () => {
  const { stderr } = await box.run(['install', hello, '--profile', 'own'])
  assert.ok(stderr.includes(at('own', 'current', 'bin')), stderr)
  assert.doesNotMatch(stderr, /pkg-profile/)
})

test('a directory with other things in it is not made a profile', async () => {
  mkdirSync(at('project'))
  writeFileSync(at('project', 'notes'), '')
  const { status, stderr } = await box.run(['install', hello, '--profile', 'project'])
  assert.equal(status, 5)
  assert.match(stderr, /project is not empty, and no profile\nhint: .*--profile \S*project\/\S+/)
  mkdirSync(at('empty'))
  done(await box.run(['install', hello, '--profile', 'empty']))
  done(await box.run(['install', other, '--profile', 'empty']))
})
