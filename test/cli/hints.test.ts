// Hints that can be followed: each is run as it is printed.

import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { makeProgram, outcome, SHELL_WORDS, sandbox } from './harness.ts'

const box = await sandbox({ after })
const at = (...parts: string[]) => join(box.directory, ...parts)

/** Runs `pkg …` as a shell would, so that what needs quotes needs them here. */
const shell = (line: string) =>
  outcome(['sh', '-c', line.replace(/^pkg/, SHELL_WORDS)], { cwd: box.directory, env: box.env })

const pack = (name: string, directory: string, version = '1.0.0') =>
  box.brief('pack', makeProgram(at(directory), 'tool', `${name} ${version}`), '--as', `${name}@${version}`)

const first = await pack('first', 'first')
const younger = await pack('first', 'younger', '2.0.0')
const second = await pack('second', 'second')
await box.brief('registry', 'create', 'reg')
await box.brief('publish', first, '--registry', 'reg')
await box.brief('registry', 'add', 'main', 'reg')

/** Makes the manifest that a directory needs to be installed by its path. */
function manifest(directory: string, name: string): void {
  mkdirSync(at(directory, '.pkg'), { recursive: true })
  writeFileSync(
    at(directory, '.pkg', 'manifest.json'),
    JSON.stringify({ format: 1, name, version: '1.0.0', programs: ['tool'] }),
  )
}

let profiles = 0

async function collide(installed: string, added: string): Promise<string[]> {
  const profile = `p${++profiles}`
  await box.brief('install', installed, '--profile', profile)
  const { status, stderr } = await box.run(['install', added, '--profile', profile])
  assert.equal(status, 5)
  const lines = Array.from(stderr.matchAll(/pkg install .*? --priority 1/g), ([line]) => line)
  assert.equal(lines.length, 2, stderr)
  // One choice is made by the first command alone, the other by asking again after it.
  for (const line of lines) {
    const own = `${profile}-${lines.indexOf(line)}`
    await box.brief('install', installed, '--profile', own)
    const chosen = await shell(`${line} --profile ${own}`)
    assert.equal(chosen.status, 0, `${line}: ${chosen.stderr}`)
    await box.brief('install', added, '--profile', own)
  }
  return lines
}

test('a collision of a package by CID with one by name: its CID, and the very version that is installed', async () => {
  const lines = await collide('first', second)
  // Meanwhile there is a newer one: the hint must not lead to an upgrade.
  assert.deepEqual(
    lines.sort(),
    [`pkg install ${second} --priority 1`, 'pkg install first@1.0.0 --priority 1'].sort(),
  )
})

test('a collision of two packages by CID', async () => {
  const lines = await collide(younger, second)
  assert.deepEqual(lines.sort(), [younger, second].map((cid) => `pkg install ${cid} --priority 1`).sort())
})

test('a collision of a package by a path with a space in it', async () => {
  makeProgram(at('a b'), 'tool', 'spaced')
  manifest('a b', 'spaced')
  const lines = await collide('first', './a b')
  assert.ok(
    lines.some((line) => line.includes(`'${at('a b')}'`)),
    lines.join('\n'),
  )
})
