// What a user does, in order, by the real program: pack, publish, install, upgrade,
// look back, roll back, remove. The tests build on each other.

import assert from 'node:assert/strict'
import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Change } from '../../src/profiles/compare.ts'
import { makeProgram, sandbox } from './harness.ts'

type Packed = { cid: string; name: string; version: string; programs: string[]; pinned: boolean }
type Moved = {
  changed: boolean
  generation: number
  previous?: number
  changes: (Change & { size?: number })[]
  cid?: string
}

const box = await sandbox({ after })
let old: Packed
let young: Packed

const directory = (name: string) => join(box.directory, name)
const kinds = ({ changes }: Moved) => changes.map(({ kind, name }) => `${kind} ${name}`)

test('init makes the prefix and the link, and says the line for the shell', async () => {
  const { stdout } = await box.run(['init', '--no-mount'])
  assert.match(stdout, /export PATH="\$HOME\/\.pkg-profile\/bin:\$PATH"/)
  assert.ok(existsSync(join(box.prefix, 'blocks')))
  assert.match(readlinkSync(join(box.home, '.pkg-profile')), /profiles\/per-user\/[^/]+\/current$/)
})

test('init --modify-shell writes the line once', async () => {
  await box.brief('init', '--no-mount', '--modify-shell')
  await box.brief('init', '--no-mount', '--modify-shell')
  const text = readFileSync(join(box.home, '.bashrc'), 'utf8')
  assert.equal(text.match(/\.pkg-profile/g)?.length, 1)
})

test('pack gives a CID, the same one every time, and pins it', async () => {
  const source = makeProgram(directory('old'), 'hello', 'old')
  old = await box.json<Packed>('pack', source, '--as', 'hello@1.0.0')
  assert.deepEqual([old.name, old.version, old.programs, old.pinned], ['hello', '1.0.0', ['hello'], true])
  assert.equal(await box.brief('pack', source, '--as', 'hello@1.0.0'), old.cid)
  young = await box.json<Packed>(
    'pack',
    makeProgram(directory('young'), 'hello', 'young'),
    '--as',
    'hello@2.0.0',
  )
  const { pins } = await box.json<{ pins: { name: string; cid: string }[] }>('pin', 'list')
  assert.deepEqual(
    pins.map(({ name }) => name),
    ['hello', 'hello'],
  )
})

test('pack without a manifest says how to make one', async () => {
  const { status, stderr } = await box.run(['pack', directory('old')])
  assert.equal(status, 2)
  assert.match(stderr, /^pkg: .*\.pkg\/manifest\.json\nhint: .*--as <name>@<version>\n$/)
})

test('publish into a registry, subscribe, search, info', async () => {
  await box.brief('registry', 'create', directory('reg'))
  for (const { cid } of [old, young]) await box.brief('publish', cid, '--registry', directory('reg'))
  await box.brief('registry', 'add', 'main', directory('reg'))
  assert.equal(await box.brief('search', 'hel'), 'hello')
  const info = await box.json<{ cid: string; versions: unknown[] }>('info', 'hello')
  assert.equal(info.cid, young.cid)
  assert.equal(info.versions.length, 2)
})

test('an unknown package: status 3 and the nearest names', async () => {
  const { status, stderr } = await box.run(['install', 'helo'])
  assert.equal(status, 3)
  assert.match(stderr, /hint: Did you mean hello\?/)
})

test('install --dry-run changes nothing', async () => {
  const planned = await box.json<Moved>('install', 'hello', '--dry-run')
  assert.deepEqual([planned.generation, kinds(planned)], [1, ['added hello']])
  assert.deepEqual(await box.json('list'), { packages: [] })
})

test('install makes generation 1 and says what it added and its size; of PATH nothing, for new shells have it', async () => {
  const { status, stdout, stderr } = await box.run(['install', 'hello@1.0.0'])
  assert.equal(status, 0)
  assert.match(stdout, /^Now at generation 1\n {2}added {2}hello {2}1\.0\.0 {2}\d+ B\n$/)
  assert.doesNotMatch(stderr, /PATH/)
})

test('the same install again is no new generation', async () => {
  const again = await box.json<Moved>('install', 'hello@1.0.0')
  assert.deepEqual([again.changed, again.generation], [false, 1])
})

test('list and which', async () => {
  const { packages } = await box.json<{ packages: { name: string; version: string; cid: string }[] }>('list')
  assert.deepEqual(
    packages.map(({ name, version, cid }) => [name, version, cid]),
    [['hello', '1.0.0', old.cid]],
  )
  const found = await box.json<Record<string, unknown>>('which', 'hello')
  assert.equal(found.link, join(box.home, '.pkg-profile', 'bin', 'hello'))
  assert.equal(found.path, join(box.prefix, 'store', old.cid, 'bin', 'hello'))
  assert.deepEqual([found.package, found.version, found.generation], ['hello', '1.0.0', 1])
  assert.match((await box.run(['which', 'hallo'])).stderr, /Did you mean hello/)
})

test('upgrade leaves the exact version behind, and keeps to a range', async () => {
  const upgraded = await box.json<Moved>('upgrade')
  assert.deepEqual([upgraded.generation, kinds(upgraded)], [2, ['upgraded hello']])
  const profile = directory('ranged')
  await box.brief('install', 'hello@^1', '--profile', profile)
  assert.equal((await box.json<Moved>('upgrade', '--profile', profile)).changed, false)
})

test('history, diff', async () => {
  const { generations } = await box.json<{ generations: { number: number; current: boolean }[] }>('history')
  assert.deepEqual(
    generations.map(({ number, current }) => [number, current]),
    [
      [1, false],
      [2, true],
    ],
  )
  const diff = await box.json<{ upgraded: Change[]; sizeChange: number }>('diff', '1', '2')
  assert.deepEqual(
    diff.upgraded.map(({ name }) => name),
    ['hello'],
  )
  assert.equal(typeof diff.sizeChange, 'number')
  assert.deepEqual(await box.json('diff'), diff)
})

test('rollback goes to where one came from, switch anywhere', async () => {
  assert.equal(await box.brief('rollback'), '1')
  assert.equal(await box.brief('switch', '2'), '2')
  assert.equal(await box.brief('rollback', '--to', '1'), '1')
  assert.equal(await box.brief('switch', '2', '--dry-run'), '2')
  assert.equal((await box.json<{ generation: number }>('list')).generation, 1)
  const { status, stderr } = await box.run(['switch', '9'])
  assert.equal(status, 3)
  assert.match(stderr, /hint: There are: 1, 2/)
})

test('a collision names both packages and how to choose; a priority decides', async () => {
  const clash = await box.brief(
    'pack',
    makeProgram(directory('clash'), 'hello', 'clash'),
    '--as',
    'clash@1.0.0',
  )
  const { status, stderr } = await box.run(['install', clash])
  assert.equal(status, 5)
  assert.match(stderr, /clash@1\.0\.0 and hello@1\.0\.0 both provide bin\/hello\nhint: .*--priority/)
  await box.brief('install', clash, '--priority', '1')
  assert.equal((await box.json<{ package: string }>('which', 'hello')).package, 'clash')
  // Asked for again without one it keeps the priority that was chosen.
  assert.equal((await box.json<Moved>('install', clash)).changed, false)
})

test('remove several, and one that is not there', async () => {
  const removed = await box.json<Moved>('remove', 'hello', 'clash')
  assert.deepEqual(kinds(removed), ['removed clash', 'removed hello'])
  assert.equal((await box.run(['remove', 'hello'])).status, 3)
})

test('a directory with a manifest installs by its path', async () => {
  const source = join(import.meta.dirname, '..', '..', 'examples', 'hello')
  assert.deepEqual(kinds(await box.json<Moved>('install', source)), ['added hello'])
})

test('why names the roots; gc keeps what they need and takes the rest', async () => {
  const { reasons } = await box.json<{ reasons: { root: { kind: string } }[] }>('why', young.cid)
  assert.deepEqual([...new Set(reasons.map(({ root }) => root.kind))].sort(), ['generation', 'pin'])
  const loose = await box.brief('store', 'add', directory('young/bin/hello'))
  assert.match((await box.run(['why', loose])).stdout, /\n|Nothing keeps/)
  const plan = await box.json<{ blocks: number; bytes: number }>('gc', '--dry-run')
  const done = await box.json<{ blocks: number; generations: unknown[] }>('gc')
  assert.ok(done.blocks >= plan.blocks)
  assert.deepEqual(done.generations, [])
  const kept = await box.json<{ generations: unknown[] }>('gc', '--keep', '1')
  assert.ok(kept.generations.length > 0)
  assert.deepEqual((await box.json<{ ok: boolean }>('store', 'verify')).ok, true)
  assert.equal((await box.run(['gc', '--delete-older-than', 'never'])).status, 2)
})
