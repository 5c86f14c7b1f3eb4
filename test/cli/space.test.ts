// What takes the room and how to get it back, by the real program: du, roots, gc and
// its limits. The tests build on each other.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { makeProgram, START, sandbox } from './harness.ts'

const box = await sandbox({ after })
const at = (name: string) => join(box.directory, name)

type Bytes = { total: number; unique: number; shared: number }
type Usage = {
  packages: (Bytes & { name: string; version: string; generations: number; pinned: boolean })[]
  generations: (Bytes & { number: number; current: boolean })[]
  profiles: (Bytes & { generations: number })[]
  pins: (Bytes & { name: string })[]
  kept: { bytes: number; blocks: number }
  dead: { bytes: number; blocks: number }
  total: { bytes: number; blocks: number }
  dedupRatio: number
}
type Collected = {
  blocks: number
  bytes: number
  young: number
  stopped?: string
  dead: { why: string; bytes: number; blocks: number; name?: string; number?: number }[]
}

/** Bytes of all block files. */
function onDisk(): number {
  const blocks = join(box.prefix, 'blocks')
  const files = (readdirSync(blocks, { recursive: true }) as string[]).filter((name) => /^..\/./.test(name))
  return files.reduce((sum, file) => sum + statSync(join(blocks, file)).size, 0)
}

/** A program with a file of its own and one that all have. */
function program(version: string): string {
  const directory = makeProgram(at(`hello-${version}`), 'hello', version)
  mkdirSync(join(directory, 'share'))
  writeFileSync(join(directory, 'share/all'), Buffer.alloc(200_000, 'a'))
  writeFileSync(join(directory, 'share/own'), Buffer.alloc(100_000, version))
  return directory
}

test('du adds up to what is on the disk, and tells what is shared', async () => {
  for (const version of ['1.0.0', '2.0.0']) {
    await box.brief('install', program(version), '--as', `hello@${version}`)
  }
  await box.brief('store', 'add', program('3.0.0'))
  const usage = await box.json<Usage>('du')
  assert.equal(usage.total.bytes, onDisk())
  assert.equal(usage.kept.bytes + usage.dead.bytes, usage.total.bytes)
  assert.deepEqual(usage.packages.map(({ version }) => version).sort(), ['1.0.0', '2.0.0'])
  for (const { unique, shared } of usage.packages) {
    assert.ok(unique >= 100_000 && unique < 110_000, String(unique))
    assert.ok(shared >= 200_000 && shared < 210_000, String(shared))
  }
  assert.ok(usage.dead.bytes >= 100_000 && usage.dead.bytes < 110_000)
  assert.equal(usage.profiles[0]?.unique, usage.kept.bytes)
  assert.ok(usage.dedupRatio > 1.4 && usage.dedupRatio < 1.6, String(usage.dedupRatio))
  const { stdout } = await box.run(['du'])
  assert.match(stdout, /^packages +size +unique +shared\nhello \d\.0\.0 +29\d\.\d KiB +9\d\.\d KiB/)
  assert.match(stdout, /together +\d+\.\d KiB, \d+ blocks, which take .* of the disk\n/)
  assert.match(stdout, /on disk +\d+\.\d [KM]iB\nsharing +dedup ratio 1\.5/)
  const only = await box.run(['du', '--by', 'generations'])
  assert.match(only.stdout, /^generations .*\n1 .*\n2 .*current\n\nkept/)
})

test('dropping a generation frees what du called unique', async () => {
  await box.brief('gc')
  const { generations } = await box.json<Usage>('du')
  const old = generations.find(({ number }) => number === 1)
  assert.equal(
    await box.brief('roots', 'drop', '1'),
    join(box.prefix, 'profiles/per-user', user(), 'generations/1'),
  )
  const planned = await box.json<Collected>('gc', '--dry-run')
  assert.deepEqual(
    planned.dead.map(({ why, name }) => [why, name]),
    [['complete', 'environment of hello 1.0.0']],
  )
  assert.equal((await box.json<Collected>('gc')).bytes, old?.unique)
})

function user(): string {
  return readdirSync(join(box.prefix, 'profiles/per-user'))[0] ?? ''
}

test('roots lists without a verb, and refuses what is in use', async () => {
  const { stdout } = await box.run(['roots'])
  assert.match(
    stdout,
    /^kind +name +since +at most +state +path\ngeneration +2 .* current .*generations\/2\n/,
  )
  assert.equal((await box.run(['roots', '--dead'])).stdout, 'Nothing is left over\n')
  assert.equal((await box.run(['--quiet', 'roots', '--mine'])).stdout.split('\n').length, 2)
  assert.match((await box.run(['roots', '--help'])).stdout, /pkg roots list.*\n.*pkg roots drop/)
  const refused = await box.run(['roots', 'drop', '2'])
  assert.equal(refused.status, 6)
  assert.match(refused.stderr, /is the current generation\nhint: .*pkg switch/)
  assert.equal((await box.run(['roots', 'drop', '7'])).status, 3)
  assert.equal((await box.run(['roots', 'drop'])).status, 2)
})

test('gc stops where it was told to, and says so', async () => {
  for (const name of ['a', 'b', 'c', 'd']) {
    writeFileSync(at(name), Buffer.alloc(300_000, name))
    await box.brief('store', 'add', at(name))
  }
  assert.equal((await box.json<Collected>('gc', '--grace', '1h')).young, 4)
  const some = await box.json<Collected>('gc', '--max-freed', '400K')
  assert.deepEqual([some.blocks, some.stopped], [2, 'max-freed'])
  assert.equal((await box.json<Collected>('gc', '--ensure-free', '1K')).blocks, 0)
  assert.match(
    (await box.run(['gc', '-n', '--max-freed', '1K'])).stdout,
    /Would delete 1 block, .*\n.*\nIt ends here: .*\nDead blocks are left: 1, 293\.0 KiB \(.* of the disk\)\n[\d,]+ blocks kept by/,
  )
  const rest = await box.run(['gc', '--ensure-free', '100%'])
  assert.match(
    rest.stdout,
    /Deleted 2 blocks, 585\.9 KiB \(.* of the disk\)\n {2}585\.9 KiB +2 blocks +not known what it belonged to/,
  )
  assert.match(rest.stderr, / are free, .* were asked for: all that is dead is gone\nhint: /)
  assert.equal(rest.status, 0)
  assert.match((await box.run(['gc', '--grace', '0'])).stdout, /Deleted nothing\n/)
  for (const wrong of [
    ['--max-freed', 'much'],
    ['--ensure-free', '120%'],
    ['--grace', '5'],
    ['--grace', ''],
  ]) {
    assert.equal((await box.run(['gc', ...wrong])).status, 2, wrong.join(' '))
  }
})

test('gc that is interrupted ends with 130 and says how far it came', async () => {
  const directory = at('many')
  mkdirSync(directory)
  for (let file = 0; file < 800; file++) writeFileSync(join(directory, `${file}`), `${file}`)
  await box.brief('store', 'add', directory)
  rmSync(directory, { recursive: true })
  // Small batches, so that it takes its time.
  writeFileSync(join(box.prefix, 'config.json'), '{"gc.batch":1}')
  const words = ['--disable-warning=ExperimentalWarning', START, 'gc']
  const child = spawn(process.execPath, words, { env: box.env, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      said += text
    })
  const shards = join(box.prefix, 'blocks')
  const files = () => (readdirSync(shards, { recursive: true }) as string[]).length
  const before = files()
  while (files() > before - 5 && child.exitCode === null)
    await new Promise((resolve) => setTimeout(resolve, 5))
  child.kill('SIGINT')
  const [status] = await once(child, 'close')
  rmSync(join(box.prefix, 'config.json'))
  assert.equal(status, 130)
  assert.match(said, /^pkg: interrupted: [\d,]+ blocks, .* had been deleted\nhint: /)
  assert.ok((await box.json<Collected>('gc')).blocks > 0)
  const { kept, total } = await box.json<Usage>('du')
  assert.deepEqual(kept, { ...total, roots: 1 })
})
