// Names: what is refused is shown as it was typed, and what a terminal would obey is not shown as it is.

import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { printable } from '../../src/cli/show/output.ts'
import { checkName } from '../../src/paths.ts'
import { sandbox } from './harness.ts'

const box = await sandbox({ after })
const at = (...parts: string[]) => join(box.directory, ...parts)

mkdirSync(at('evil', 'bin'), { recursive: true })
const EVIL = 'a\u001b[2J\nb'
writeFileSync(at('evil', EVIL), 'x')
writeFileSync(at('evil', 'bin', 'tool'), '#!/bin/sh\n', { mode: 0o755 })
const cid = await box.brief('store', 'add', 'evil')

for (const name of ['../x', '.', '.hidden', 'a/b', 'a\nb', 'a\u001b[31m', '']) {
  test(`${JSON.stringify(name)} as a name is refused, and shown`, async () => {
    for (const words of [
      ['pin', 'add', name, cid],
      ['pin', 'remove', name],
      ['registry', 'add', name, 'reg'],
      ['registry', 'remove', name],
      ['store', 'add', 'evil', '--pin', name],
    ]) {
      const { status, stderr } = await box.run(words)
      assert.equal(status, 2, `${words.join(' ')}: ${stderr}`)
      const refused = `pkg: ${JSON.stringify(name)} cannot be a name for a `
      assert.ok(
        name === '' ? /^pkg: the value of .* is empty/.test(stderr) : stderr.startsWith(refused),
        stderr,
      )
    }
  })
}

test('a pin’s name may begin with a dash', async () => {
  assert.equal((await box.run(['pin', 'add', '--', '-x', cid])).status, 0)
  assert.match(await box.brief('pin', 'list'), /^-x /)
  assert.equal((await box.run(['pin', 'remove', '--', '-x'])).status, 0)
})

test('checkName: no control characters', () => {
  for (const bad of ['a\tb', '\u007f', 'a\u0085', '\u0000']) {
    assert.throws(() => checkName(bad, 'name'), { code: 'BAD_NAME' })
  }
  assert.equal(checkName('ä b', 'name'), 'ä b')
})

test('an environment may hold files of any name', async () => {
  for (const one of ['one', 'two']) {
    mkdirSync(at(one, 'share', 'x'), { recursive: true })
    writeFileSync(at(one, 'share', 'x', `${one}\n`), one)
    const packed = await box.brief('pack', one, '--as', `${one}@1.0.0`)
    await box.brief('install', packed, '--profile', 'own')
  }
})

/** What commands say of it, to people: newlines are ours alone, and nothing else moves the cursor. */
async function shown(...words: string[]): Promise<string> {
  const { stdout, stderr } = await box.run(words)
  const text = stdout + stderr
  assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/, words.join(' '))
  return text
}

test('names out of a DAG are escaped, and exact under --json', async () => {
  const escaped = printable(EVIL)
  for (const words of [
    ['store', 'ls', cid],
    ['store', 'ls', '-l', cid],
    ['store', 'ls', '-q', cid],
  ]) {
    assert.ok((await shown(...words)).includes(escaped), words.join(' '))
  }
  const { entries } = await box.json<{ entries: { name: string }[] }>('store', 'ls', cid)
  assert.ok(entries.some(({ name }) => name === EVIL))
  const leaf = await box.json<{ cid: string }>('store', 'stat', `${cid}/${EVIL}`)
  await box.brief('pin', 'add', 'evil', cid)
  assert.ok((await shown('why', leaf.cid)).includes(escaped))
  assert.ok((await shown('store', 'get', `${cid}/${EVIL}`)).includes(escaped))
  assert.ok(readdirSync(box.directory).includes(EVIL))
})

test('descriptions of packages are escaped', async () => {
  // More than this a manifest does not take.
  const turned = 'a\u202eb'
  const packed = await box.brief('pack', 'evil', '--as', 'evil@1.0.0', '--description', turned)
  await box.brief('registry', 'create', 'reg')
  await box.brief('publish', packed, '--registry', 'reg')
  await box.brief('registry', 'add', 'main', 'reg')
  for (const words of [
    ['info', packed],
    ['info', 'evil'],
    ['search', 'evil'],
  ]) {
    assert.ok((await shown(...words)).includes(printable(turned)), words.join(' '))
  }
})

test('what a message repeats is escaped, in its hint too', async () => {
  for (const words of [
    [`a\u001b[2J`],
    ['list', `--a\u001b[2J`],
    ['store', 'ls', EVIL],
    ['install', EVIL],
    ['which', 'a\u0007'],
    ['why', 'a\u009b'],
    ['install', 'evil', '--registry', 'a\u001b'],
    ['store', 'import', `no${EVIL}`],
  ]) {
    await shown(...words)
  }
})

test('a version that is not there: status 3', async () => {
  const { status, stderr } = await box.run(['info', 'evil@9'])
  assert.equal(status, 3)
  assert.match(stderr, /no version of evil matches 9; there is: 1\.0\.0/)
  assert.equal((await box.run(['info', 'evil@1'])).status, 0)
})
