// `x=$(pkg …)`: where the result is one thing, it is alone on standard output.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Command } from '../../src/cli/command.ts'
import { COMMANDS, loadCommand, wordsOf } from '../../src/cli/commands.ts'
import { makeProgram, outcome, SHELL_WORDS, sandbox } from './harness.ts'

const box = await sandbox({ after })
const tree = makeProgram(join(box.directory, 'tree'), 'tool', 'hi')
writeFileSync(join(box.directory, 'a file'), 'text')

const cid = await box.brief('pack', tree, '--as', 'tool@1.0.0')
await box.brief('install', cid)
await box.brief('store', 'export', cid, 'old.car')

/** Words of a shell, and where `--json` has the one thing. They may be run twice. */
const ONE: [words: string, member: string, said: RegExp][] = [
  [`pack ./tree --as tool@1.0.0`, 'cid', /^tool 1\.0\.0, .*; programs: tool; pinned as tool\n$/],
  [`registry create ./reg`, 'cid', /^Made the registry reg in /],
  [`registry add main ./reg`, 'cid', /^Added the registry main: /],
  [`publish ${cid} --registry ./reg`, 'root', /^Published tool 1\.0\.0 in \.\/reg/],
  ['which tool', 'path', /^link .*\npackage +tool\n/],
  [`pin add kept ${cid}`, 'cid', /^Pinned as kept\n$/],
  [`store add 'a file'`, 'cid', /^1 file, 4 B; /],
  [`store get ${cid} ./out --force`, 'destination', /^2 files, /],
  [`store export ${cid} new.car --force`, 'file', /^\d+ blocks, /],
  [`store import old.car`, 'cid', /^\d+ blocks, /],
  [`store checkout ${cid}`, 'path', /^$/],
]

for (const [words, member, said] of ONE) {
  test(`x=$(pkg ${words.replaceAll(cid, '<cid>')}) is one line, and the rest is on standard error`, async () => {
    const line = `x=$(${SHELL_WORDS} ${words}) || exit; printf %s "$x"`
    // Two lines would be two here as well: a shell takes only the last newline away.
    const { status, stdout, stderr } = await outcome(['sh', '-c', line], { cwd: box.directory, env: box.env })
    assert.equal(status, 0, stderr)
    assert.match(stdout, /^[^\n]+$/)
    assert.match(stderr, said)
    // A registry is made and added once.
    if (words.startsWith('registry')) return
    const again = words.split(' ').map((word) => word.replaceAll("'", ''))
    const asked = words.includes("'") ? ['store', 'add', 'a file'] : again
    assert.equal(await box.brief(...asked), stdout)
    const record = await box.json<Record<string, unknown>>(...asked)
    assert.equal(record[member], stdout)
    assert.equal((await box.run([...asked, '--quiet'])).stderr, '')
  })
}

test('whatever says more of one thing has a way to print the thing alone, and is in this table', async () => {
  for (const entry of COMMANDS) {
    const { about, brief, render } = (await loadCommand(entry)) as Command
    if (about === undefined) continue
    assert.ok(brief && !render, wordsOf(entry))
    assert.ok(
      ONE.some(([words]) => words.startsWith(wordsOf(entry))),
      wordsOf(entry),
    )
  }
})
