// Names of what is here, installed or pinned, wherever a CID is taken; and letting go of it.

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { makeProgram, sandbox } from './harness.ts'

const box = await sandbox({ after })
const cids: Record<string, string> = {}

async function pack(as: string, ...more: string[]): Promise<string> {
  const [name = ''] = as.split('@')
  const source = makeProgram(join(box.directory, as), name, as)
  cids[as] = await box.brief('pack', source, '--as', as, ...more)
  return cids[as]
}

// Pinned, in two versions; installed from a directory; neither in any registry.
for (const as of ['pinned@1.0.0', 'pinned@1.1.0', 'other@1.0.0']) await pack(as)
await pack('own@2.0.0', '--no-pin')
await box.brief('install', cids['own@2.0.0'] as string)
await box.brief('registry', 'create', 'reg')

const NAMES: [name: string, as: string][] = [
  ['own', 'own@2.0.0'],
  ['own@2.0.0', 'own@2.0.0'],
  ['own@^2', 'own@2.0.0'],
  ['other', 'other@1.0.0'],
  ['pinned@1.0.0', 'pinned@1.0.0'],
  ['pinned@1.1', 'pinned@1.1.0'],
]

for (const [name, as] of NAMES) {
  test(`${name} is ${as}`, async () => {
    const cid = cids[as]
    const found = await Promise.all([
      box.json<{ cid: string }>('store', 'stat', name),
      box.json<{ cid: string }>('info', name),
      box.json<{ cid: string }>('why', name),
    ])
    assert.deepEqual(
      found.map((one) => one.cid),
      [cid, cid, cid],
    )
  })
}

test('publish, pin add, store ls, cat, get, export, pack --from and --dependency take names', async () => {
  assert.equal(
    (await box.json<{ cid: string }>('publish', 'own', '--registry', 'reg')).cid,
    cids['own@2.0.0'],
  )
  assert.equal(
    (await box.json<{ cid: string }>('pin', 'add', 'kept', 'pinned@1.0.0')).cid,
    cids['pinned@1.0.0'],
  )
  assert.match((await box.run(['store', 'ls', 'own'])).stdout, /^\.pkg\/\nbin\/\n$/)
  await box.brief('store', 'get', 'own@2.0.0', 'out')
  assert.ok(existsSync(join(box.directory, 'out/bin/own')))
  assert.equal(
    (await box.json<{ cid: string }>('store', 'export', 'other', 'x.car')).cid,
    cids['other@1.0.0'],
  )
  await box.brief('store', 'add', 'own@2.0.0', '--pin', 'raw')
  const adopted = await box.run([
    'pack',
    '--from',
    'raw',
    '--as',
    'copy@1.0.0',
    '--bin',
    'bin/own',
    '--no-pin',
  ])
  assert.equal(adopted.status, 0, adopted.stderr)
  const source = makeProgram(join(box.directory, 'uses'), 'uses', 'x')
  const words = ['pack', source, '--as', 'uses@1.0.0', '--dependency', 'other=other', '--no-pin']
  const { dependencies } = await box.json<{ dependencies: { cid: string }[] }>(...words)
  assert.equal(dependencies[0]?.cid, cids['other@1.0.0'])
})

test('run takes what is installed or pinned and in no registry: of several the newest', async () => {
  const run = async (name: string) => (await box.run(['run', name, '--', 'x'])).stdout
  assert.equal(await run('own'), 'own@2.0.0 x\n')
  assert.equal(await run('pinned'), 'pinned@1.1.0 x\n')
  assert.equal(await run('pinned@1.0.0'), 'pinned@1.0.0 x\n')
})

test('a name of several asks which, and names them', async () => {
  for (const words of [
    ['store', 'stat', 'pinned'],
    ['why', 'pinned'],
    ['pin', 'remove', 'pinned'],
  ]) {
    const { status, stderr } = await box.run(words)
    assert.equal(status, 2)
    assert.match(stderr, /^pkg: pinned names 2 pins\nhint: Name one of them: pinned@1\.0\.0, pinned@1\.1\.0/)
  }
  const { stderr } = await box.run(['store', 'ls', 'onw'])
  assert.match(stderr, /"onw" is neither .*\nhint: Did you mean own\?/)
})

test('info says what is installed, of a package that a registry knows and of one that none does', async () => {
  assert.match((await box.run(['info', 'own'])).stdout, /^installed +2\.0\.0 \(asked for as baf/m)
  assert.doesNotMatch((await box.run(['info', 'other'])).stdout, /^installed/m)
  await box.brief('registry', 'add', 'main', 'reg')
  assert.match((await box.run(['info', 'own'])).stdout, /^registry +main[\s\S]*^installed +2\.0\.0/m)
})

test('pins are listed and removed by their versions; all of a name only with --all', async () => {
  const builds = [
    ['linux', 'x64'],
    ['linux', 'arm64'],
  ]
  for (const [os, arch] of builds) {
    const source = makeProgram(join(box.directory, `for-${arch}`), 'built', String(arch))
    const manifest = {
      format: 1,
      name: 'built',
      version: '1.0.0',
      programs: ['built'],
      platforms: [{ os, arch }],
    }
    mkdirSync(join(source, '.pkg'))
    writeFileSync(join(source, '.pkg/manifest.json'), JSON.stringify(manifest))
    const cid = await box.brief('pack', source)
    const { stderr } = await box.run(['publish', cid, '--registry', 'reg'])
    assert.match(stderr, new RegExp(`^Published built 1\\.0\\.0 for linux-${arch} in reg`, 'm'))
  }
  const listed = (await box.run(['pin', 'list'])).stdout
  assert.match(listed, /^built +1\.0\.0 for linux-arm64 /m)
  assert.match(listed, /^built +1\.0\.0 for linux-x64 /m)
  assert.match(listed, /^pinned +1\.0\.0 .*\npinned +1\.1\.0 /m)
  const { stderr } = await box.run(['pin', 'remove', 'built'])
  assert.match(
    stderr,
    /baf\w+ \(1\.0\.0 for linux-\w+\), baf\w+ \(1\.0\.0 for linux-\w+\); or all of them: --all/,
  )
  assert.equal((await box.json<{ pins: unknown[] }>('pin', 'remove', 'built', '--all')).pins.length, 2)

  assert.match(
    (await box.run(['pin', 'remove', 'pinned@1.0.0'])).stdout,
    new RegExp(cids['pinned@1.0.0'] as string),
  )
  const again = await box.run(['pin', 'remove', 'pinned@1.0.0'])
  assert.equal(again.status, 3)
  await pack('pinned@1.2.0')
  await box.brief('pin', 'remove', 'pinned', '1.1.0')
  await box.brief('pin', 'remove', 'pinned', cids['pinned@1.2.0'] as string)
  assert.doesNotMatch((await box.run(['pin', 'list'])).stdout, /^pinned/m)
})

test('what was published is taken back: a version, or all of them', async () => {
  for (const version of ['1.0.0', '1.1.0', '1.2.0']) {
    await box.brief('publish', await pack(`wrong@${version}`), '--registry', 'reg')
  }
  const unpublish = (...words: string[]) => box.run(['unpublish', ...words, '--registry', 'reg'])
  const versions = async () => {
    await box.brief('registry', 'update')
    const { versions } = await box.json<{ versions: { version: string }[] }>('info', 'wrong')
    return versions.map(({ version }) => version)
  }
  const { status, stdout, stderr } = await unpublish('wrong@1.1.0')
  assert.equal(status, 0)
  // Other versions are pinned, too: the name alone would be refused.
  assert.match(stderr, /`pkg pin remove wrong@1\.1\.0`/)
  assert.match(stdout, /^Took wrong 1\.1\.0 out of reg\n/)
  assert.deepEqual(await versions(), ['1.0.0', '1.2.0'])
  assert.equal((await unpublish('wrong@1.1.0')).status, 3)
  const several = await unpublish('wrong')
  assert.equal(several.status, 2)
  assert.match(several.stderr, /hint: Name one of them: wrong@1\.0\.0, wrong@1\.2\.0; or all of them: --all/)
  assert.equal((await unpublish('wrong', '--all')).status, 0)
  assert.equal((await unpublish('wrong')).status, 3)
  // What is pinned stays.
  assert.equal((await box.run(['store', 'stat', 'wrong@1.1.0'])).status, 0)
})
