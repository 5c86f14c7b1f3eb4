import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import { decodeHeader, encodeHeader, packageOfFile, recordPath, shardOf } from '../../src/registry/layout.ts'

test('a record lies in the shard of its name', () => {
  assert.equal(shardOf('esbuild'), '58')
  assert.equal(recordPath('esbuild'), 'packages/58/esbuild.json')
  assert.equal(packageOfFile('esbuild.json'), 'esbuild')
})

test('names spread evenly over 256 shards', () => {
  const count = new Map<string, number>()
  for (let i = 0; i < 25_600; i++)
    count.set(shardOf(`package-${i}`), (count.get(shardOf(`package-${i}`)) ?? 0) + 1)
  assert.equal(count.size, 256)
  assert.ok(Math.max(...count.values()) < 200)
})

for (const name of ['a/b', `${'x'.repeat(251)}`, 'nul\0']) {
  test(`${JSON.stringify(name.slice(0, 9))} cannot have a record`, () => {
    assert.throws(
      () => recordPath(name),
      (error) => hasCode(error, 'BAD_NAME'),
    )
  })
}

test('files that are no records belong to no package', () => {
  assert.equal(packageOfFile('.json'), undefined)
  assert.equal(packageOfFile('README'), undefined)
})

test('a header reads back; anything else is refused', () => {
  assert.deepEqual(decodeHeader(encodeHeader('main'), 'here'), { format: 1, name: 'main' })
  for (const bad of ['', '[]', 'null', '{"format":2,"name":"x"}', '{"format":1}']) {
    assert.throws(
      () => decodeHeader(Buffer.from(bad), 'here'),
      (error) => hasCode(error, 'BAD_REGISTRY'),
    )
  }
})
