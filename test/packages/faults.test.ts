// What keeps programs from working elsewhere is found before they are packed: by real
// programs of the machine's and of Debian's, and by real trees.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { hasCode } from '../../src/errors.ts'
import { elfNeeds } from '../../src/packages/elf-needs.ts'
import type { Fault } from '../../src/packages/faults.ts'
import { packDirectory } from '../../src/packages/pack.ts'
import * as debian from '../helpers/debian.ts'
import { temporaryStore } from '../profiles/fixture.ts'

const { store, directory } = await temporaryStore({ after })
let made = 0

type Entry = string | { from: string } | { link: string } | { plain: string }

/** A tree of executable files by their text, copies, links and files that are not executable. */
function tree(entries: Record<string, Entry>): string {
  const top = join(directory, `tree-${made++}`)
  mkdirSync(top)
  for (const [path, entry] of Object.entries(entries)) {
    const at = join(top, path)
    mkdirSync(dirname(at), { recursive: true })
    if (typeof entry === 'string') writeFileSync(at, entry, { mode: 0o755 })
    else if ('link' in entry) symlinkSync(entry.link, at)
    else if ('plain' in entry) writeFileSync(at, entry.plain, { mode: 0o644 })
    else {
      copyFileSync(entry.from, at)
      chmodSync(at, 0o755)
    }
  }
  return top
}

async function faultsOf(entries: Record<string, Entry>, as = 'x@1.0.0'): Promise<string[]> {
  const faults: Fault[] = []
  await packDirectory(store, tree(entries), { as, onFault: (fault) => void faults.push(fault) })
  for (const { hint } of faults) assert.match(hint, /\w/)
  return faults.map(({ path, why }) => `${path} ${why}`)
}

const SH = '#!/bin/sh\necho x\n'

const TREES: [title: string, entries: Record<string, Entry>, faults: RegExp[]][] = [
  ['a script', { 'bin/x': SH }, []],
  ['a package of data', { 'share/doc/x': { plain: 'x' } }, []],
  ['Node.js', { 'bin/node': { from: process.execPath } }, []],
  ['a launcher for what lies elsewhere', { 'bin/x': SH, 'usr/bin/y': SH }, []],
  ['programs in usr/bin', { 'usr/bin/x': SH }, [/^usr\/bin has programs, and bin\/ has none/]],
  ['programs in usr/bin that bin leads to', { 'usr/bin/x': SH, bin: { link: 'usr/bin' } }, []],
  ['programs one directory below', { 'x-1.0/bin/x': SH }, [/^x-1\.0\/bin has programs/]],
  ['programs in sbin', { 'sbin/x': SH }, [/^sbin has programs/]],
  ['a program at the top', { x: SH }, [/^x is a program, and not in bin\//]],
  [
    'files in bin/ that are not executable',
    { 'bin/x': SH, 'bin/y': { plain: SH }, 'bin/z': { plain: 'z' } },
    [/^bin\/y is not executable/, /^bin\/z is not executable/],
  ],
  ['only such files', { 'bin/y': { plain: SH } }, [/^bin\/y is not executable/]],
  ['a script without #!', { 'bin/x': 'echo x\n' }, [/^bin\/x begins like neither/]],
  ['an empty program', { 'bin/x': '' }, [/^bin\/x begins like neither/]],
  [
    'an interpreter of the machine',
    { 'bin/x': '#!/usr/bin/python3 -E\n' },
    [/^bin\/x needs \/usr\/bin\/python3/],
  ],
  ['one that env looks for', { 'bin/x': '#!/usr/bin/env -S node --x\n' }, [/^bin\/x needs node in PATH/]],
  ['one that env finds in the package', { 'bin/x': '#!/usr/bin/env y\n', 'bin/y': SH }, []],
  ['bash', { 'bin/x': '#!/usr/bin/env bash\n', 'bin/y': '#! /bin/bash -e\n' }, []],
  ['a link to nothing', { 'bin/x': SH, 'bin/y': { link: '../lib/y' } }, [/^bin\/y is a link to nothing/]],
  [
    'links that lead to themselves',
    { 'bin/x': { link: 'y' }, 'bin/y': { link: 'x' } },
    [/x is a link/, /y is a link/],
  ],
]

for (const [title, entries, expected] of TREES) {
  test(`${title}: ${expected.length === 0 ? 'nothing' : expected.map(String).join(', ')}`, async () => {
    const faults = await faultsOf(entries)
    assert.equal(faults.length, expected.length, faults.join('\n'))
    for (const [index, why] of expected.entries()) assert.match(faults[index] as string, why)
  })
}

/** On every Debian, with a library of its own beside it. */
const APT = '/usr/bin/apt-get'
const NO_APT = existsSync(APT) ? false : `${APT} is not here`

function read(file: string) {
  return (offset: number, length: number) => {
    const fd = openSync(file, 'r')
    try {
      const buffer = Buffer.alloc(length)
      return buffer.subarray(0, readSync(fd, buffer, 0, length, offset))
    } finally {
      closeSync(fd)
    }
  }
}

/** By the loader itself: name → file of all that is loaded, libraries of libraries too. */
function loaded(file: string): Map<string, string> {
  const text = execFileSync(file, { env: { LD_TRACE_LOADED_OBJECTS: '1' }, encoding: 'utf8' })
  return new Map(
    [...text.matchAll(/^\s*(\S+) => (\S+) \(/gm)].map(([, name = '', path = '']) => [name, path]),
  )
}

for (const file of [process.execPath, '/bin/sh', '/bin/bash', APT]) {
  test(`the libraries of ${file} are those that its loader loads`, {
    skip: existsSync(file) ? false : 'it is not here',
  }, () => {
    const { libraries = [], interpreter } = elfNeeds(read(file)) ?? {}
    assert.ok(existsSync(interpreter ?? ''))
    assert.ok(libraries.length > 0)
    const all = loaded(file)
    for (const name of libraries)
      assert.ok(all.has(name) || name === basename(interpreter ?? ''), `${name} of ${file}`)
  })
}

test('libraries that are not inside are named, those of libraries inside too', { skip: NO_APT }, async () => {
  const [fault, ...more] = await faultsOf({ 'bin/apt-get': { from: APT } })
  assert.match(fault ?? '', /^bin\/apt-get needs libraries that are not inside: .*libapt-pkg\.so\.\S+/)
  assert.deepEqual(more, [])

  const own = elfNeeds(read(APT))?.libraries.filter((name) => name.startsWith('libapt')) ?? []
  const paths = loaded(APT)
  const inside = Object.fromEntries(
    own.map((name) => [`lib/${name}`, { from: realpathSync(paths.get(name) ?? '') }]),
  )
  const [absent, unfound] = await faultsOf({ 'bin/apt-get': { from: APT }, ...inside })
  assert.match(absent ?? '', /needs libraries that are not inside: /)
  for (const name of own) assert.doesNotMatch(absent ?? '', new RegExp(name.replaceAll('.', '\\.')))
  assert.match(unfound ?? '', /^bin\/apt-get does not look where its libraries are: libapt-/)
})

test('a library that the program itself looks for beside it is found', async (t) => {
  const java = debian.java()
  if (java.missing) return t.skip(java.missing)
  const at = (path: string) => ({ from: join(java.directory, path) })
  const whole = await faultsOf({ 'bin/java': at('bin/java'), 'lib/libjli.so': at('lib/libjli.so') })
  assert.deepEqual(whole, ['bin/java needs libraries that are not inside: libz.so.1'])
  // By a link, it is where the link leads that counts.
  const linked = await faultsOf({
    'bin/java': { link: '../jvm/bin/java' },
    'jvm/bin/java': at('bin/java'),
    'jvm/lib/libjli.so': at('lib/libjli.so'),
  })
  assert.deepEqual(linked, whole)
  const alone = await faultsOf({ 'bin/java': at('bin/java') })
  assert.deepEqual(alone, ['bin/java needs libraries that are not inside: libjli.so, libz.so.1'])
})

test('a loader that only one machine has', { skip: NO_APT }, async () => {
  const bytes = readFileSync(APT)
  const { interpreter = '' } = elfNeeds(read(APT)) ?? {}
  const other = `/nix${interpreter}`.slice(0, interpreter.length)
  bytes.write(other, bytes.indexOf(`${interpreter}\0`), 'latin1')
  const file = join(directory, 'other-loader')
  writeFileSync(file, bytes)
  const [loader] = await faultsOf({ 'bin/x': { from: file } })
  assert.equal(loader, `bin/x needs the loader ${other}, which is not inside`)
})

test('whatever an ELF file says, looking at it ends', { skip: NO_APT }, () => {
  const bytes = readFileSync(APT)
  const position = fc.oneof(fc.nat({ max: 2048 }), fc.nat({ max: bytes.length - 9 }))
  fc.assert(
    fc.property(
      fc.array(fc.tuple(position, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })), { maxLength: 8 }),
      (hits) => {
        const damaged = Buffer.from(bytes)
        for (const [at, value] of hits) damaged.writeBigUInt64LE(value, at)
        let asked = 0
        elfNeeds((offset, length) => {
          asked += length
          assert.ok(length >= 0 && asked < 256 * 1024 * 1024)
          return damaged.subarray(Math.min(offset, damaged.length), Math.min(offset + length, damaged.length))
        })
      },
    ),
    { seed: 22, numRuns: 2000 },
  )
})

for (const [version, fault] of [
  ['1.15.0-2', /prerelease, which counts as older than 1\.15\.0/],
  ['1.15.0+2', undefined],
  ['1.15.0-rc.1', undefined],
] as const) {
  test(`version ${version}: ${fault ?? 'nothing'}`, async () => {
    const [found, ...more] = await faultsOf({ 'bin/x': SH }, `x@${version}`)
    if (fault === undefined) assert.equal(found, undefined)
    else assert.match(found ?? '', fault)
    assert.deepEqual(more, [])
  })
}

test('a program that is setuid or setgid runs without those rights', async () => {
  const top = tree({ 'bin/plain': SH, 'bin/su': SH, 'bin/sg': SH, 'bin/link': { link: 'su' } })
  chmodSync(join(top, 'bin/su'), 0o4755)
  chmodSync(join(top, 'bin/sg'), 0o2755)
  const faults: Fault[] = []
  await packDirectory(store, top, { as: 'x@1.0.0', onFault: (fault) => void faults.push(fault) })
  assert.deepEqual(
    faults.map(({ path, why }) => `${path} ${why.split(',')[0]}`),
    ['bin/sg is setuid or setgid', 'bin/su is setuid or setgid'],
  )
  await assert.rejects(packDirectory(store, top, { as: 'x@1.0.0', strict: true }), (error) =>
    hasCode(error, 'FAULTY'),
  )
})

test('strict refuses, and says how many there are', async () => {
  const bad = tree({ 'bin/x': 'x', 'bin/y': 'y' })
  await assert.rejects(packDirectory(store, bad, { as: 'x@1.0.0', strict: true }), (error) => {
    assert.ok(hasCode(error, 'FAULTY'))
    assert.match(error.message, /^x@1\.0\.0: bin\/x begins .*\(and 1 more\)$/)
    return true
  })
  await packDirectory(store, tree({ 'bin/x': SH }), { as: 'x@1.0.0', strict: true })
})
