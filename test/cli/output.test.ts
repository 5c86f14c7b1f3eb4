// The pure half of the command line: sizes, tables, JSON, progress, numbers.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDuration } from '../../src/amounts.ts'
import {
  fields,
  formatBytes,
  formatChange,
  printable,
  styleFor,
  table,
  toJson,
} from '../../src/cli/show/output.ts'
import { createProgress, describe } from '../../src/cli/show/progress.ts'
import { renderError, reportOf } from '../../src/cli/show/report.ts'
import { generationNumber } from '../../src/cli/words/values.ts'
import { PkgError } from '../../src/errors.ts'
import { parseCid } from '../../src/store/cid.ts'

const plain = styleFor({ isTTY: false })
const colours = styleFor({ isTTY: true }, {})

test('sizes', () => {
  const sizes: [number, string][] = [
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1_048_575, '1.0 MiB'],
    [5 * 1024 ** 3, '5.0 GiB'],
    [2 ** 60, '1024.0 PiB'],
  ]
  for (const [bytes, text] of sizes) assert.equal(formatBytes(bytes), text)
  assert.equal(formatChange(-2048), '-2.0 KiB')
  assert.equal(formatChange(0), '+0 B')
})

test('columns are as wide as what shows, colours left out', () => {
  const text = table(
    ['name', 'size'],
    [
      [colours.bold('a'), '10'],
      ['long', '1'],
    ],
    { style: plain, right: [1] },
  )
  assert.equal(text.replace(/\u001b\[\d+m/g, ''), 'name  size\na       10\nlong     1')
})

test('a table without rows or headings is empty', () => {
  assert.equal(table([], [], { style: plain }), '')
})

test('fields without a value are left out', () => {
  assert.equal(
    fields(
      [
        ['a', 'x'],
        ['bb', undefined],
        ['ccc', 'y'],
      ],
      plain,
    ),
    'a    x\nccc  y',
  )
})

test('colours only on a terminal, and not under NO_COLOR or TERM=dumb', () => {
  assert.notEqual(colours.red('x'), 'x')
  for (const style of [
    plain,
    styleFor({ isTTY: true }, { NO_COLOR: '1' }),
    styleFor({ isTTY: true }, { TERM: 'dumb' }),
  ]) {
    assert.equal(style.red('x'), 'x')
  }
})

test('a name out of a DAG cannot move the cursor', () => {
  assert.equal(printable('a\u001b[2Jb\n\u202ec'), 'a\\u001b[2Jb\\u000a\\u202ec')
})

test('JSON: CIDs are strings, nothing is an empty record', () => {
  const cid = parseCid('bafkreiey5jxe6ilpf62lnh77tm5ejbbmhbugzjuf6p2v3remlu73ced34q')
  assert.deepEqual(JSON.parse(toJson({ cid, big: 3n, set: new Set([1]), date: new Date(0) })), {
    cid: cid.toString(),
    big: 3,
    set: [1],
    date: '1970-01-01T00:00:00.000Z',
  })
  assert.equal(toJson(undefined), '{}')
})

test('progress: a bar with a known total, a count without', () => {
  assert.equal(
    describe('Adding', { done: 512, total: 1024 }, 'bytes', 0),
    'Adding  [############............]   50%  512 B of 1.0 KiB',
  )
  assert.equal(describe('Marking', { done: 12_000 }, 'items', 0), 'Marking  12,000')
  assert.match(describe('Adding', { done: 4096 }, 'bytes', 2000), /2\.0 KiB\/s$/)
})

test('progress: redraws on a terminal, lines elsewhere, nothing when quiet', () => {
  let time = 0
  const drawn = (isTTY: boolean, quiet = false) => {
    time = 0
    let text = ''
    const write = (more: string) => {
      text += more
      return true
    }
    const output = { isTTY, columns: 40, write } as unknown as NodeJS.WriteStream
    const task = createProgress(output, { quiet, env: {}, now: () => time }).task('Adding')
    for (; time < 6000; time += 1000) task.update({ done: time })
    task.end()
    return text
  }
  assert.match(drawn(true), /^\r\u001b\[KAdding {2}0 B.*\r\u001b\[K$/s)
  assert.match(drawn(false), /^Adding {2}4\.9 KiB.*\n$/)
  assert.equal(drawn(true, true), '')
})

test('times and generations', () => {
  assert.equal(parseDuration('30d'), 30 * 86_400_000)
  assert.equal(parseDuration('90m'), 5_400_000)
  assert.equal(generationNumber('12'), 12)
  for (const bad of ['', '30', 'd', '1y', '-1d']) assert.throws(() => parseDuration(bad), { code: 'USAGE' })
  for (const bad of ['0', '-1', '1.5', 'x', '']) assert.throws(() => generationNumber(bad), { code: 'USAGE' })
})

test('an error says what to do; its stack shows only under PKG_DEBUG', () => {
  const error = new PkgError('NO_PACKAGE', 'no x', { hint: 'try y', cause: new Error('deep') })
  assert.equal(renderError(error, plain, {}), 'pkg: no x\nhint: try y')
  assert.match(renderError(error, plain, { PKG_DEBUG: '1' }), /\n {4}at .*caused by: Error: deep/s)
})

test('a system error reads like one sentence, a bug says that it is one', () => {
  const missing = Object.assign(new Error("ENOENT: no such file or directory, open '/x/y'"), {
    code: 'ENOENT',
  })
  assert.deepEqual(reportOf(missing), { code: 'NOT_FOUND', message: '/x/y: no such file or directory' })
  assert.match(reportOf(new TypeError('oops')).message, /^internal error: oops$/)
})
