// README.md and the manual against the code: what they name is there, and what the
// README shows of everyday use is run as it stands.

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import { after, test } from 'node:test'
import { ALIASES, BARE_GROUPS, COMMANDS, wordsOf } from '../../src/cli/commands.ts'
import { parse } from '../../src/cli/words/parse.ts'
import { readConfig } from '../../src/config.ts'
import { SETTINGS } from '../../src/settings.ts'
import { LAUNCHER, outcome, sandbox } from '../cli/harness.ts'
import { anchors, codeLines, inlineCode, links, MANUAL, README, ROOT, textOf } from './pages.ts'

const PAGES = [README, ...MANUAL]
const INDEX = 'native-notes/index.md'

const README_BYTES = 12 * 1024
const PAGE_BYTES = 16 * 1024

const box = await sandbox({ after })

test('the README is a page, and so is each page of the manual', () => {
  assert.ok(Buffer.byteLength(textOf(README)) <= README_BYTES)
  const large = MANUAL.filter((page) => Buffer.byteLength(textOf(page)) > PAGE_BYTES)
  assert.deepEqual(large, [])
})

test('links lead to files, and to headings in them', () => {
  const broken = PAGES.flatMap((page) =>
    links(page)
      .filter((target) => !/^[a-z]+:/.test(target) && !isThere(page, target))
      .map((target) => `${page}: ${target}`),
  )
  assert.deepEqual(broken, [])
})

function isThere(page: string, target: string): boolean {
  const [file = '', anchor] = target.split('#')
  const path = file === '' ? page : normalize(join(dirname(page), file))
  return existsSync(join(ROOT, path)) && (anchor === undefined || anchors(path).includes(anchor))
}

test('the index links to every page, and the README to the index', () => {
  const linked = links(INDEX)
  const missing = MANUAL.filter((page) => page !== INDEX && !linked.includes(basename(page)))
  assert.deepEqual(missing, [])
  assert.ok(links(README).includes(INDEX))
})

test('files that are named exist', () => {
  const path = /^(src|test|examples|native-notes|\.ci)\/[\w./-]+$/
  const absent = PAGES.flatMap((page) =>
    inlineCode(page)
      .filter((code) => path.test(code) && !existsSync(join(ROOT, code)))
      .map((code) => `${page}: ${code}`),
  )
  assert.deepEqual(absent, [])
})

test('the manual has every command and every setting', () => {
  const cli = textOf('native-notes/cli.md')
  const nouns = (entry: (typeof COMMANDS)[number]) => wordsOf(entry).split(' ')
  const lacking = COMMANDS.filter((entry) => !nouns(entry).every((word) => cli.includes(word)))
  assert.deepEqual(lacking.map(wordsOf), [])
  const settings = inlineCode('native-notes/settings.md')
  const defaults = Object.keys(readConfig({ config: join(box.directory, 'none') }))
  assert.deepEqual(
    defaults.filter((key) => !settings.includes(key)),
    [],
  )
})

test('the manual has the defaults that there are', () => {
  const rows = [...textOf('native-notes/settings.md').matchAll(/^\| (`[a-z]+\.\w+`[^|]*) \| ([^|]+) \|/gm)]
  const split = (text = '') => text.replaceAll('`', '').split(', ')
  const told = rows.flatMap(([, names, values]) =>
    split(names).map((name, index) => [name, split(values)[index] ?? split(values).at(-1)]),
  )
  assert.deepEqual(
    Object.fromEntries(told),
    Object.fromEntries(Object.entries(SETTINGS).map(([name, { written }]) => [name, String(written)])),
  )
})

for (const page of PAGES) {
  const commands = codeLines(page).filter((line) => line.startsWith('pkg '))
  if (commands.length === 0) continue
  test(`${page}: commands in code blocks are understood`, async () => {
    for (const line of commands) {
      const parsed = await parse(shellWords(line).slice(1), { version: '1' })
      assert.ok('invocation' in parsed, line)
    }
  })
}

/** The words of a simple command. */
function shellWords(line: string): string[] {
  return Array.from(line.matchAll(/'([^']*)'|(\S+)/g), ([, quoted, bare]) => quoted ?? bare ?? '')
}

for (const page of PAGES) {
  test(`${page}: commands in the text have the words and options that there are`, async () => {
    for (const code of inlineCode(page)) {
      const line = /^pkg ([a-z].*)$/.exec(code)?.[1]
      if (line === undefined || line.startsWith('help ')) continue
      const [ours = ''] = line.split(' -- ')
      const help = await helpOf(ours.replaceAll(',', '').split(' '))
      assert.ok(help !== undefined, code)
      for (const [option] of ours.matchAll(/--[a-z][a-z-]*/g)) {
        assert.ok(help.includes(option.replace('--no-', '--')), code)
      }
    }
  })
}

const KNOWN = new Set([...COMMANDS.map(wordsOf), ...Object.keys(ALIASES), ...Object.keys(BARE_GROUPS)])

/** The help of the command that begins with these words. */
async function helpOf(words: readonly string[]): Promise<string | undefined> {
  const command = [words.slice(0, 2), words.slice(0, 1)].find((first) => KNOWN.has(first.join(' ')))
  if (command === undefined) return undefined
  const parsed = await parse([...command, '--help'], { version: '1' })
  return 'text' in parsed ? parsed.text : undefined
}

test('everyday use is run as the README shows it', async () => {
  const directory = join(box.directory, 'clone')
  mkdirSync(join(directory, 'src', 'cli'), { recursive: true })
  symlinkSync(LAUNCHER, join(directory, 'src', 'cli', 'pkg'))
  symlinkSync(join(ROOT, 'examples'), join(directory, 'examples'))
  const lines = ['A store of your own', 'Everyday use'].flatMap((section) => codeLines(README, section))
  assert.ok(lines.length > 30)
  const { status, stdout, stderr } = await outcome(['sh', '-eux', '-c', lines.join('\n')], {
    cwd: directory,
    env: box.env,
  })
  assert.equal(status, 0, stderr)
  for (const shown of ['Hello, world\n', 'Hello, you\n', 'upgraded  tool  1.0.0 -> 1.1.0']) {
    assert.ok(stdout.includes(shown), stdout)
  }
})
