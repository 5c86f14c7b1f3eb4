// `pkg config`: the settings of a prefix, shown and changed by the real program.

import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { prefixPaths } from '../../src/paths.ts'
import { makePrefix } from '../../src/store/prefix.ts'
import { sandbox } from './harness.ts'

type Shown = { name: string; value: unknown; source: string; default: unknown; about: string; must: string }

const box = await sandbox({ after })
makePrefix(prefixPaths(box.prefix))
const file = join(box.prefix, 'config.json')
const written = () => JSON.parse(readFileSync(file, 'utf8')) as unknown
const settings = async () => (await box.json<{ settings: Shown[] }>('config', 'list')).settings

test('every setting is listed with value, source, default and what it does', async () => {
  const all = await settings()
  assert.ok(all.length > 20)
  for (const { name, value, source, default: standard, about, must } of all) {
    assert.deepEqual([value, source], [standard, 'default'], name)
    assert.ok(about.length > 10 && must.length > 5, name)
  }
  assert.match((await box.run(['config'])).stdout, /^gc\.minFree +1073741824 +default +The daemon collects/m)
})

test('set, get and unset; numbers are numbers in the file', async () => {
  assert.equal((await box.run(['config', 'set', 'gc.minFree', '20%'])).status, 0)
  assert.equal((await box.run(['config', 'set', 'gc.keep', '5'])).status, 0)
  assert.equal((await box.run(['config', 'set', 'mount.cacheBytes', '64M'])).status, 0)
  assert.deepEqual(written(), { 'gc.minFree': '20%', 'gc.keep': 5, 'mount.cacheBytes': '64M' })
  assert.equal((await box.run(['config', 'get', 'gc.keep'])).stdout, '5\n')
  const keep = (await settings()).find(({ name }) => name === 'gc.keep')
  assert.deepEqual([keep?.value, keep?.source, keep?.default], [5, 'config.json', 'off'])
  assert.equal((await box.run(['config', 'unset', 'gc.keep'])).stdout, 'gc.keep is off\n')
  assert.deepEqual(written(), { 'gc.minFree': '20%', 'mount.cacheBytes': '64M' })
})

test('what does not fit is refused, and the file stays', async () => {
  const before = readFileSync(file)
  const wrong = [
    ['gc.keep', '0'],
    ['gc.keep', ''],
    ['gc.keep', '1e2'],
    ['gc.keep', '+1'],
    ['gc.interval', '1'],
    ['store.mode', 'mounted'],
    ['gc.checkSeconds', '2147484'],
    ['gc.kepp', '1'],
    ['constructor', '1'],
  ]
  for (const [name = '', value = ''] of wrong) {
    const { status, stderr } = await box.run(['config', 'set', name, value])
    assert.equal(status, 2, `${name} ${value}`)
    assert.ok(value === '' ? stderr.includes('<value>') : stderr.includes(`"${name}"`), stderr)
  }
  assert.deepEqual(readFileSync(file), before)
})

test('settings that are set at once are all there', async () => {
  const names = ['uploads.atOnce', 'uploads.atOncePerUser', 'users.connections', 'users.sockets']
  await Promise.all(names.map((name) => box.run(['config', 'set', name, '7'])))
  const now = written() as Record<string, unknown>
  assert.deepEqual(
    names.map((name) => now[name]),
    [7, 7, 7, 7],
  )
})

test('a file with a wrong setting is mended by unset and by set', async () => {
  writeFileSync(file, '{"gc.bach": 7, "gc.keep": "many"}')
  assert.equal((await box.run(['config', 'list'])).status, 2)
  await box.run(['config', 'unset', 'gc.bach'])
  assert.match((await box.run(['config', 'list'])).stderr, /"gc\.keep" must be a whole number above 0/)
  assert.equal((await box.run(['config', 'set', 'gc.keep', '3'])).status, 0)
  assert.deepEqual(written(), { 'gc.keep': 3 })
})

test('without a prefix there is nothing to set', async () => {
  const nowhere = join(box.directory, 'nowhere')
  for (const words of [['list'], ['get', 'gc.keep'], ['set', 'gc.keep', '1'], ['unset', 'gc.keep']]) {
    const { status } = await box.run(['config', ...words, '--prefix', nowhere])
    assert.equal(status, 3, words.join(' '))
  }
  assert.equal(existsSync(nowhere), false)
})
