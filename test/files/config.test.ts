// The settings of a prefix: a slip of the pen never passes silently.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseBytes, parseDuration, parseShare, shareBytes } from '../../src/amounts.ts'
import { readConfig } from '../../src/config.ts'
import { hasCode } from '../../src/errors.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

test('a file sets what it names and leaves the rest', async (t) => {
  const config = join(await temporaryDirectory(t), 'config.json')
  const defaults = readConfig({ config })
  writeFileSync(config, '{"gc.batch":7}')
  assert.deepEqual(readConfig({ config }), { ...defaults, 'gc.batch': 7 })
})

test('sizes, parts and times are read as people write them; "off" switches off', async (t) => {
  const config = join(await temporaryDirectory(t), 'config.json')
  writeFileSync(
    config,
    '{"gc.minFree":"20%","gc.maxFree":4096,"gc.interval":"1d","gc.keep":3,"gc.deleteOlderThan":"off"}',
  )
  const read = readConfig({ config })
  assert.deepEqual(read['gc.minFree'], { percent: 20 })
  assert.deepEqual(read['gc.maxFree'], { bytes: 4096 })
  assert.deepEqual(
    [read['gc.interval'], read['gc.keep'], read['gc.deleteOlderThan']],
    [86_400_000, 3, undefined],
  )
  writeFileSync(config, '{"gc.minFree":"off"}')
  assert.equal(readConfig({ config })['gc.minFree'], undefined)
})

const sizes: [text: string, bytes: number][] = [
  ['0', 0],
  ['4096', 4096],
  ['10k', 10_240],
  ['500M', 524_288_000],
  ['1.5 GiB', 1_610_612_736],
  ['2gb', 2_147_483_648],
]
for (const [text, bytes] of sizes)
  test(`${text} is ${bytes} bytes`, () => assert.equal(parseBytes(text), bytes))

test('what is no size, part or time is refused with an example', () => {
  for (const text of ['', 'G', '-1', '1.2.3', '10X', '1e3', '99999999999999T'])
    assert.throws(() => parseBytes(text), { code: 'USAGE' }, text)
  for (const text of ['101%', '%', '-5%', '5 %%'])
    assert.throws(() => parseShare(text), { code: 'USAGE' }, text)
  for (const text of ['', '30', 'd', '-1d', '1y'])
    assert.throws(() => parseDuration(text), { code: 'USAGE' }, text)
  assert.equal(shareBytes(parseShare('2.5%'), 1000), 25)
})

const wrong = [
  '{"gc.minFree":"much"}',
  '{"gc.minFree":-1}',
  '{"gc.maxFree":"120%"}',
  '{"gc.interval":5}',
  '{"gc.keep":0}',
  '{"toString":5}',
  '{"__proto__":3}',
  '{"gc.bach":7}',
  '{"gc.batch":"7"}',
  '{"gc.batch":0}',
  '{"gc.batch":1.5}',
  '{"gc.checkSeconds":2147484}',
  '{"uploads.holdSeconds":2147484}',
  '{"store.mode":"mounted"}',
  '{"store.mode":1}',
  '[]',
  'null',
  '',
]

for (const text of wrong) {
  test(`${text || 'an empty file'} is refused`, async (t) => {
    const config = join(await temporaryDirectory(t), 'config.json')
    writeFileSync(config, text)
    assert.throws(
      () => readConfig({ config }),
      (error) => hasCode(error, 'USAGE') && error.message.includes(config),
    )
  })
}

test('a setting that may be 0 says so', async (t) => {
  const config = join(await temporaryDirectory(t), 'config.json')
  writeFileSync(config, '{"gc.graceSeconds": 0}')
  assert.equal(readConfig({ config })['gc.graceSeconds'], 0)
  writeFileSync(config, '{"gc.graceSeconds": -1}')
  assert.throws(() => readConfig({ config }), /"gc\.graceSeconds" must be a whole number of 0 or more/)
  writeFileSync(config, '{"gc.batch": 0}')
  assert.throws(() => readConfig({ config }), /"gc\.batch" must be a whole number above 0/)
})
