// Programs that find their own files from where they find themselves: by every way that
// leads to one it gives what it gives by its store path, from a mount and from checkouts.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, linkSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import * as programs from '../../examples/programs.ts'
import type { StoreMode } from '../../src/mount/mode.ts'
import { userName } from '../../src/paths.ts'
import * as debian from '../helpers/debian.ts'
import { type Machine, machine, NO_MOUNT } from './machine.ts'

/** Nobody's uid on a machine. */
const SOMEBODY = '64013'
const NOT_ROOT = process.getuid?.() === 0 ? false : 'only root can run a program as somebody else'

type Case = {
  tree(directory: string): debian.Tree
  program: string
  words: readonly string[]
  input?: string
  /** all it writes, or a line of it; `@` stands for its own store path */
  answer: RegExp
  /** in this mode only, where one is enough for a large package */
  only?: StoreMode
}

const CASES: Record<string, Case> = {
  'a launcher with readlink': {
    tree: (directory) => launcher(directory, 'by-readlink', 'readlink "$0" || echo "$0"'),
    program: 'by-readlink',
    words: ['word'],
    answer: /^words of @: word$/m,
  },
  'a launcher with readlink -f': {
    tree: (directory) => launcher(directory, 'by-readlink-f', 'readlink -f "$0"'),
    program: 'by-readlink-f',
    words: ['word'],
    answer: /^words of @: word$/m,
  },
  Python: {
    tree: debian.python,
    program: 'python3.11',
    words: ['-c', 'import sys, json; print(sys.prefix, sys.base_exec_prefix, json.__file__)'],
    answer: /^@ @ @\/lib\/python3\.11\/json\/__init__\.py$/m,
  },
  Perl: {
    tree: debian.perl,
    program: 'where',
    words: [],
    answer: /^@\/bin\/perl @\/libexec @\/bin\/\.\.\/share\/perl\/\S*FindBin\.pm$/m,
    only: 'mount',
  },
  Ruby: {
    tree: debian.ruby,
    program: 'ruby',
    words: [
      '--disable-gems',
      '-e',
      'require "set"; puts $".grep(/.set\\.rb/).map { |file| File.realpath file }',
    ],
    answer: /^@\/lib\/ruby\/3\.1\.0\/set\.rb$/m,
    only: 'mount',
  },
  Tcl: {
    tree: debian.tcl,
    program: 'tclsh',
    words: [],
    input: 'puts [file normalize $tcl_library]\n',
    answer: /^@\/share\/tcltk\/tcl8\.6$/m,
  },
  'a JVM': {
    tree: debian.java,
    program: 'java',
    words: ['-Xshare:auto', '-XshowSettings:properties', '-version'],
    answer: /^ +java\.home = @$/m,
    only: 'mount',
  },
  "Node's own npm": {
    tree: nodeWithNpm,
    program: 'npm',
    words: ['prefix', '--global'],
    answer: /^@$/m,
    only: 'mount',
  },
}

for (const mode of ['mount', 'checkout'] as const) {
  const skip = mode === 'mount' && NO_MOUNT
  const box = skip ? ({} as Machine) : await machine({ after }, { 'store.mode': mode })
  describe(`${mode}:`, { skip }, () => {
    before(() => chmodSync(box.directory, 0o755))
    for (const [name, one] of Object.entries(CASES)) {
      if (one.only !== undefined && one.only !== mode) continue
      const made = skip ? { directory: '' as const, missing: String(skip) } : one.tree(box.directory)
      test(`${name} finds its own files by every way`, { skip: made.missing }, async () => {
        const package_ = `p${Object.keys(CASES).indexOf(name)}`
        const cid = await box.pack(made.directory, `${package_}@1.0.0`)
        const project = join(box.directory, `project-${package_}`)
        await box.pkg('install', cid)
        await box.pkg('install', cid, '--profile', project)
        const own = realpathSync(box.store(cid))
        const bin = join(box.home, '.pkg-profile', 'bin')
        const current = join(box.prefix, 'profiles', 'per-user', userName(), 'current', 'bin')
        const byLink = join(box.directory, `own-${package_}`)
        symlinkSync(join(bin, one.program), byLink)
        for (const [way, path, as] of [
          ['its store path', box.store(cid, 'bin', one.program)],
          ['the profile', join(bin, one.program)],
          ['current', join(current, one.program)],
          ['--profile', join(project, 'current', 'bin', one.program)],
          ['PATH', one.program],
          ...(NOT_ROOT ? [] : [["somebody else's PATH", one.program, SOMEBODY] as const]),
        ] as const) {
          const env = { ...box.env, PATH: `${as ? current : bin}:${process.env.PATH}` }
          const said = answer([path, ...one.words], { env, input: one.input, as, cwd: box.directory })
          assert.match(said.replaceAll(own, '@'), one.answer, `by ${way}`)
        }
      })
    }
  })
}

type Asked = { env: NodeJS.ProcessEnv; input: string | undefined; as: string | undefined; cwd: string }

/** What it writes to both streams. */
function answer(words: string[], { env, input = '', as, cwd }: Asked): string {
  const [command = '', ...rest] =
    as === undefined ? words : ['setpriv', '--reuid', as, '--regid', as, '--clear-groups', '--', ...words]
  const { stdout, stderr, error } = spawnSync(command, rest, {
    env,
    input,
    cwd,
    encoding: 'utf8',
    timeout: 60_000,
  })
  return error === undefined ? `${stdout}${stderr}` : error.message
}

function launcher(directory: string, name: string, link: string): debian.Tree {
  const top = join(directory, name)
  const script = ['#!/bin/sh', `here=$(dirname "$(${link})")`, '. "$here/../lib/words"', '']
  programs.writeProgram(join(top, 'bin', name), script.join('\n'))
  mkdirSync(join(top, 'lib'), { recursive: true })
  writeFileSync(join(top, 'lib', 'words'), 'echo "words of $(cd "$here/.." && pwd -P): $*"\n')
  return { directory: top, missing: false }
}

/** As Node's own archives have it: bin/npm is a link to npm's script, which `env` runs with the node in PATH. */
function nodeWithNpm(directory: string): debian.Tree {
  const top = join(directory, 'node')
  const npm = join(top, 'lib', 'node_modules', 'npm')
  mkdirSync(join(top, 'bin'), { recursive: true })
  mkdirSync(dirname(npm), { recursive: true })
  try {
    linkSync(process.execPath, join(top, 'bin', 'node'))
  } catch {
    // Another file system, or not ours to link.
    cpSync(process.execPath, join(top, 'bin', 'node'))
  }
  cpSync(join(programs.npm(programs.PROGRAM_CACHE), 'lib', 'npm'), npm, { recursive: true })
  chmodSync(join(npm, 'bin', 'npm-cli.js'), 0o755)
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(top, 'bin', 'npm'))
  return { directory: top, missing: false }
}
