// Pins of several versions of a package: told at publication, and listed so that the old ones can be let go.

import assert from 'node:assert/strict'
import { lutimesSync, readdirSync, rmSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { makeProgram, sandbox } from './harness.ts'

const box = await sandbox({ after })
const registry = join(box.directory, 'reg')
const cids: string[] = []

async function publish(version: string) {
  const cid = await box.brief(
    'pack',
    makeProgram(join(box.directory, version), 'hello', version),
    '--as',
    `hello@${version}`,
  )
  cids.push(cid)
  return box.run(['publish', cid, '--registry', registry])
}

test('publish tells of older versions that stay pinned', async () => {
  await box.brief('registry', 'create', registry)
  assert.doesNotMatch((await publish('1.0.0')).stderr, /pinned/)
  const { status, stderr } = await publish('1.1.0')
  assert.equal(status, 0, stderr)
  assert.match(stderr, /2 builds of hello are pinned.*`pkg pin list`.*`pkg pin remove hello@<version>`/s)
})

test('pin list shows sizes and dates, the oldest of a name first', async () => {
  const [old = '', young = ''] = cids
  const pins = join(box.prefix, 'pins/per-user', userInfo().username, 'hello')
  assert.equal(readdirSync(pins).length, 2)
  const [first, second] = [new Date(2026, 0, 2, 3, 4), new Date(2026, 1, 3, 4, 5)]
  lutimesSync(join(pins, young), second, second)
  lutimesSync(join(pins, old), first, first)
  const { stdout } = await box.run(['pin', 'list'])
  const lines = stdout.split('\n').filter((line) => line.startsWith('hello'))
  assert.match(lines[0] ?? '', new RegExp(`^hello +1\\.0\\.0 +\\d+ B +2026-01-02 03:04 +${old}$`))
  assert.match(lines[1] ?? '', new RegExp(`^hello +1\\.1\\.0 +\\d+ B +2026-02-03 04:05 +${young}$`))
  const listed = await box.json<{ pins: { name: string; cid: string; size: number; date: string }[] }>(
    'pin',
    'list',
  )
  const one = listed.pins.find(({ cid }) => cid === old)
  assert.equal(one?.date, first.toISOString())
  assert.ok((one?.size ?? 0) > 0)
})

test('of what the list shows for a link, `pin remove` says which link that is, and its hint can be followed', async () => {
  const { status, stderr } = await box.run(['pin', 'remove', 'registry'])
  assert.equal(status, 3)
  const link = join(registry, 'root')
  assert.match(stderr, new RegExp(`kept by the link ${link}\\nhint: .* pkg roots drop ${link}\\n`))
  await box.brief('roots', 'drop', link)
  assert.match((await box.run(['pin', 'remove', 'registry'])).stderr, /has no pin registry/)
})

test('a pin whose blocks are lost is listed without a size', async () => {
  const blocks = join(box.prefix, 'blocks')
  const files = readdirSync(blocks, { recursive: true }) as string[]
  for (const file of files.filter((name) => /^..\/./.test(name))) rmSync(join(blocks, file), { force: true })
  const { pins } = await box.json<{ pins: { size?: number }[] }>('pin', 'list')
  assert.deepEqual(
    pins.map(({ size }) => size),
    pins.map(() => undefined),
  )
})
