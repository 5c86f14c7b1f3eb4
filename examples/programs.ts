// Real programs as all-in-one directories, fetched from the npm registry and
// from Debian: what the quickstart and the end-to-end tests pack and run.

import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

export const ESBUILD_VERSIONS = ['0.24.2', '0.25.0'] as const
export const NPM_VERSION = '11.6.2'

const machine = process.arch === 'arm64' ? 'arm64' : 'x64'

/** Makes `directory` by `fill` unless it is there; it appears whole or not at all. */
export function once(directory: string, fill: (temp: string) => void): string {
  if (existsSync(directory)) return directory
  const temp = `${directory}.${process.pid}`
  rmSync(temp, { recursive: true, force: true })
  mkdirSync(temp, { recursive: true })
  fill(temp)
  renameSync(temp, directory)
  return directory
}

function run(command: string, args: string[], cwd: string): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** The content of an npm package, in `into`. */
function unpackNpm(spec: string, into: string): void {
  const tarball = run('npm', ['pack', '--silent', spec], into).trim().split('\n').at(-1)!
  run('tar', ['-xzf', tarball, '--strip-components=1', '--no-same-owner'], into)
  rmSync(join(into, tarball))
}

export function writeProgram(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  chmodSync(file, 0o755)
}

/** One static binary of 10 MB, as esbuild ships it. */
export function esbuild(version: string, cache: string): string {
  return once(join(cache, `esbuild-${version}`), (temp) =>
    unpackNpm(`@esbuild/linux-${machine}@${version}`, temp),
  )
}

/** Node.js itself: one binary of about 110 MB. */
export function node(cache: string): string {
  return once(join(cache, `node-${process.versions.node}`), (temp) => {
    mkdirSync(join(temp, 'bin'))
    cpSync(process.execPath, join(temp, 'bin', 'node'))
  })
}

/** npm's own command line: thousands of small files, run by the Node that it depends on. */
export function npm(cache: string): string {
  return once(join(cache, `npm-${NPM_VERSION}`), (temp) => {
    const lib = join(temp, 'lib', 'npm')
    mkdirSync(lib, { recursive: true })
    unpackNpm(`npm@${NPM_VERSION}`, lib)
    writeProgram(
      join(temp, 'bin', 'npm'),
      [
        '#!/bin/sh',
        'here=$(dirname "$(readlink -f "$0")")',
        'exec "$here/../.pkg/dependencies/node/bin/node" "$here/../lib/npm/bin/npm-cli.js" "$@"',
        '',
      ].join('\n'),
    )
  })
}

/** True where Debian packages can be fetched and unpacked. */
export function hasDebian(): boolean {
  return existsSync('/usr/bin/apt-get') && existsSync('/usr/bin/dpkg-deb')
}

/** What Debian's packages of these names hold, in `into`. */
export function unpackDebian(names: string[], into: string): void {
  const fetch = () => run('apt-get', ['download', '-q', ...names], into)
  try {
    fetch()
  } catch {
    // A fresh machine has no lists of packages yet.
    run('apt-get', ['update', '-q'], into)
    fetch()
  }
  for (const deb of readdirSync(into).filter((name) => name.endsWith('.deb'))) {
    run('dpkg-deb', ['--extract', deb, '.'], into)
    rmSync(join(into, deb))
  }
}

/** Debian's jq with its shared libraries beside it, made relocatable by a wrapper. */
export function jq(cache: string): string {
  return once(join(cache, 'jq'), (temp) => {
    unpackDebian(['jq', 'libjq1', 'libonig5'], temp)
    const libraries = readdirSync(join(temp, 'usr', 'lib')).find((name) => name.endsWith('-linux-gnu'))
    renameSync(join(temp, 'usr', 'lib', libraries!), join(temp, 'lib'))
    mkdirSync(join(temp, 'libexec'))
    renameSync(join(temp, 'usr', 'bin', 'jq'), join(temp, 'libexec', 'jq'))
    renameSync(join(temp, 'usr', 'share'), join(temp, 'share'))
    rmSync(join(temp, 'usr'), { recursive: true })
    writeProgram(
      join(temp, 'bin', 'jq'),
      [
        '#!/bin/sh',
        'here=$(dirname "$(readlink -f "$0")")',
        'LD_LIBRARY_PATH="$here/../lib" exec "$here/../libexec/jq" "$@"',
        '',
      ].join('\n'),
    )
  })
}

/** Where fetched programs are kept between runs: with the other fetched things of this checkout. */
export const PROGRAM_CACHE = join(import.meta.dirname, '..', 'node_modules', '.cache', 'programs')
