// The settings of a prefix: a slip of the pen never passes silently.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readConfig } from '../../src/config.ts'
import { hasCode } from '../../src/errors.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

test('a file sets what it names and leaves the rest', async (t) => {
  const config = join(await temporaryDirectory(t), 'config.json')
  const defaults = readConfig({ config })
  writeFileSync(config, '{"gc.batch":7}')
  assert.deepEqual(readConfig({ config }), { ...defaults, 'gc.batch': 7 })
})

const wrong = [
  '{"toString":5}',
  '{"__proto__":3}',
  '{"gc.bach":7}',
  '{"gc.batch":"7"}',
  '{"gc.batch":0}',
  '{"gc.batch":1.5}',
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
