// The examples do what they say.

import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { LAUNCHER, makeProgram, outcome, sandbox } from './harness.ts'

const box = await sandbox({ after })
const examples = join(import.meta.dirname, '..', '..', 'examples')
const hello = join(examples, 'hello')
const bin = join(box.directory, 'bin')
mkdirSync(bin)
symlinkSync(LAUNCHER, join(bin, 'pkg'))
const options = { cwd: box.directory, env: { ...box.env, PATH: `${bin}:${box.env.PATH}` } }

test('the package made by hand packs, and its program finds its own files', async () => {
  const { name, programs } = await box.json<{ name: string; programs: string[] }>('pack', hello)
  assert.deepEqual([name, programs], ['hello', ['hello']])
  const { stdout } = await outcome([join(hello, 'bin', 'hello'), 'you'], options)
  assert.equal(stdout, 'Hello, you\n')
})

test('the library installs into a profile of its own', async () => {
  const words = [
    '--disable-warning=ExperimentalWarning',
    join(examples, 'embed.ts'),
    box.prefix,
    'profile',
    hello,
  ]
  const { stdout, stderr } = await outcome([process.execPath, ...words], options)
  assert.equal(stderr, '')
  assert.match(stdout, /^generation 1: added hello\n.*\/store\/baf\w+\/bin\/hello\n$/)
  const { packages } = await box.json<{ packages: unknown[] }>('list', '--profile', 'profile')
  assert.equal(packages.length, 1)
})

test('the library runs as its header says', async () => {
  const root = join(examples, '..')
  const line = /^\/\/ {3}(\S.*embed\.ts .*)$/m.exec(readFileSync(join(examples, 'embed.ts'), 'utf8'))?.[1]
  const command = line?.replaceAll('/tmp/', `${box.directory}/header-`) ?? 'false'
  const { status, stdout, stderr } = await outcome(['sh', '-c', command], { cwd: root, env: box.env })
  assert.equal(status, 0, stderr)
  assert.match(stdout, /^generation 1: added hello\n/)
})

test('an upgrade that fails its check is rolled back', async () => {
  const publish = async (version: string) => {
    const source = makeProgram(join(box.directory, version), 'tool', version)
    const cid = await box.brief('pack', source, '--as', `tool@${version}`)
    await box.brief('publish', cid, '--registry', 'reg')
  }
  await box.brief('registry', 'create', 'reg')
  await publish('1.0.0')
  await box.brief('registry', 'add', 'main', 'reg')
  await box.brief('install', 'tool')
  const script = join(examples, 'upgrade-or-roll-back.sh')
  assert.match((await outcome([script, 'tool', 'true'], options)).stdout, /up to date/)
  await publish('2.0.0')
  const failed = await outcome([script, 'tool', 'false'], options)
  assert.deepEqual([failed.status, failed.stderr.includes('back at generation 1')], [1, true])
  const { packages } = await box.json<{ packages: { version: string }[] }>('list')
  assert.deepEqual(
    packages.map(({ version }) => version),
    ['1.0.0'],
  )
  const worked = await outcome([script, 'tool', 'true'], options)
  assert.match(worked.stdout, /tool works: generation 2/)
})
