// Debian's interpreters as packages: their own trees, with bin/, lib/ and share/ at the
// top, and a launcher where the program is not made to be moved.

import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  globSync,
  lstatSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { join } from 'node:path'
import { hasDebian, once, PROGRAM_CACHE, unpackDebian, writeProgram } from '../../examples/programs.ts'

/** A launcher as many are written: it reads the link that it was called by. */
const HERE = ['#!/bin/sh', 'here=$(dirname "$(readlink "$0" || echo "$0")")']

/** The tree, or why it cannot be had here, for a test's `skip`. */
export type Tree = { directory: string; missing: false } | { directory: ''; missing: string }

/** CPython as it is: it looks for lib/python3.11 from where it finds itself. */
export const python = (): Tree =>
  tree('python', ['python3.11-minimal', 'libpython3.11-minimal', 'libpython3.11-stdlib'], {
    runs: ['bin/python3.11', '-c', ''],
  })

/** Perl, and a script that finds a file of its own by FindBin. */
export const perl = (): Tree =>
  tree('perl', ['perl-base', 'perl-modules-5.36'], {
    runs: ['bin/perl', '-e', ''],
    finish(top) {
      const modules = [
        ...globSync('lib/*/perl-base', { cwd: top }),
        ...globSync('share/perl/5.*.*', { cwd: top }),
      ]
      const include = modules.map((path) => `-I"$here/../${path}"`).join(' ')
      launcher(top, 'where', `exec "$here/perl" ${include} "$here/../libexec/where.pl"`)
      writeProgram(
        join(top, 'libexec', 'where.pl'),
        'use FindBin; print join " ", $^X, $FindBin::RealBin, $INC{"FindBin.pm"};\n',
      )
    },
  })

/** Ruby behind a launcher that tells it where its libraries are. */
export const ruby = (): Tree =>
  tree('ruby', ['ruby3.1', 'libruby3.1', 'libgmp10'], {
    runs: ['bin/ruby', '--disable-gems', '-e', ''],
    finish(top) {
      const libraries = globSync('lib/*-linux-gnu', { cwd: top })[0] ?? 'lib'
      renameSync(join(top, 'bin'), join(top, 'libexec'))
      const paths = ['lib/ruby/3.1.0', `${libraries}/ruby/3.1.0`].map((path) => `$here/../${path}`).join(':')
      launcher(
        top,
        'ruby',
        `export RUBYLIB="${paths}" LD_LIBRARY_PATH="$here/../${libraries}"`,
        'exec "$here/../libexec/ruby3.1" "$@"',
      )
    },
  })

/** Tcl behind one: it follows no link that it was called by. */
export const tcl = (): Tree =>
  tree('tcl', ['tcl8.6', 'libtcl8.6'], {
    runs: ['bin/tclsh'],
    finish(top) {
      const libraries = globSync('lib/*-linux-gnu', { cwd: top })[0] ?? 'lib'
      launcher(
        top,
        'tclsh',
        `export TCL_LIBRARY="$here/../share/tcltk/tcl8.6" LD_LIBRARY_PATH="$here/../${libraries}"`,
        'exec "$here/tclsh8.6" "$@"',
      )
    },
  })

/** A whole JVM, 180 MB; its settings in /etc are put where the links to them are. */
export const java = (): Tree =>
  tree('java', ['openjdk-17-jre-headless'], {
    runs: ['bin/java', '-version'],
    finish(top) {
      const jvm = globSync('lib/jvm/java-17-openjdk-*', { cwd: top })[0]
      if (jvm === undefined) throw new Error('there is no lib/jvm/java-17-openjdk-*')
      for (const path of globSync('**/*', { cwd: join(top, jvm) })) {
        const link = join(top, jvm, path)
        const target = lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(link) : ''
        if (!target.startsWith('/') && !target.startsWith('../../../share')) continue
        rmSync(link)
        if (existsSync(`${top}.etc${target.slice('/etc'.length)}`))
          cpSync(`${top}.etc${target.slice('/etc'.length)}`, link, { recursive: true })
      }
      for (const name of readdirSync(top)) if (name !== 'lib') rmSync(join(top, name), { recursive: true })
      for (const name of readdirSync(join(top, jvm))) renameSync(join(top, jvm, name), join(top, `.${name}`))
      rmSync(join(top, 'lib'), { recursive: true })
      for (const name of readdirSync(top)) renameSync(join(top, name), join(top, name.slice(1)))
    },
  })

type Making = {
  /** a program below the tree, and words with which it does nothing and ends well */
  runs: readonly [program: string, ...words: string[]]
  /** Has the tree as `usr/` was, and may find `etc/` beside it, as `<tree>.etc`. */
  finish?(top: string): void
}

function tree(name: string, packages: string[], { runs: [program, ...words], finish }: Making): Tree {
  if (!hasDebian()) return { directory: '', missing: 'apt-get and dpkg-deb are not here' }
  try {
    const directory = once(join(PROGRAM_CACHE, `debian-${name}`), (temp) => {
      unpackDebian(packages, temp)
      const top = join(temp, 'tree')
      renameSync(join(temp, 'usr'), top)
      if (existsSync(join(temp, 'etc'))) renameSync(join(temp, 'etc'), `${top}.etc`)
      finish?.(top)
      // It needs libraries of the machine's that a small one may lack.
      execFileSync(join(top, program), words, { input: '', stdio: 'pipe' })
    })
    return { directory: join(directory, 'tree'), missing: false }
  } catch (error) {
    return {
      directory: '',
      missing: `Debian's ${name} cannot be had: ${(error as Error).message.split('\n')[0]}`,
    }
  }
}

function launcher(top: string, name: string, ...lines: string[]): void {
  writeProgram(join(top, 'bin', name), [...HERE, ...lines, ''].join('\n'))
}
