// The main job on real programs, narrated: pack, publish, install, run, upgrade, roll back.
// Everything happens below one temp directory, with a prefix and a home of its
// own, and is gone afterwards: no store of the user's is touched.

import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as programs from './programs.ts'

const PKG = join(import.meta.dirname, '..', 'src', 'cli', 'pkg')
const work = mkdtempSync(join(tmpdir(), 'pkg-quickstart-'))
const home = join(work, 'home')
const prefix = join(work, 'ipfs')
const bin = join(home, '.pkg-profile', 'bin')
const env = { ...process.env, HOME: home, PKG_PREFIX: prefix, PATH: `${bin}:${process.env.PATH}` }

function say(text: string): void {
  console.log(`\n\u2014 ${text}`)
}

/** Runs a command, shown as a user would type it. Its failure ends the quickstart. */
function run(command: string, ...args: string[]): string {
  const shown = [command === PKG ? 'pkg' : command, ...args].map(shell).join(' ')
  console.log(`$ ${shown.replaceAll(programs.PROGRAM_CACHE, '.')}`)
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: work, env, encoding: 'utf8' })
  process.stdout.write(stdout ?? '')
  process.stderr.write(stderr ?? '')
  if (status === 0) return stdout
  process.exitCode = status ?? 1
  throw new Error(`${shown} ended with ${status ?? error?.message}`)
}

function shell(word: string): string {
  return /^[\w./:@=^~+-]+$/.test(word) ? word : `'${word}'`
}

const pkg = (...args: string[]) => run(PKG, ...args)

/** On standard output `pkg pack` prints nothing but the package's CID. */
function pack(directory: string, as: string, ...more: string[]): string {
  return pkg('pack', directory, '--as', as, ...more).trim()
}

try {
  mkdirSync(home)
  say(`A prefix of its own under ${prefix}; programs see its store at ${join(prefix, 'store')}`)
  const mounted = !/checkout mode/.test(pkg('init'))
  if (!mounted) {
    console.log('Nothing can be mounted here, so packages are checked out as real read-only trees, when they')
    console.log(
      'are installed. Everything below is the same, down to the CIDs; `pkg doctor` tells what is missing.',
    )
  }

  say('Real programs, fetched as npm and Debian ship them (kept for the next time)')
  const cache = programs.PROGRAM_CACHE
  const [oldVersion, newVersion] = programs.ESBUILD_VERSIONS
  const sources = [oldVersion, newVersion].map((version) => programs.esbuild(version, cache))
  const node = programs.node(cache)
  const npm = programs.npm(cache)
  const jq = programs.hasDebian() ? programs.jq(cache) : undefined
  if (!jq) console.log('No Debian here: jq is left out.')

  say('Pack: a directory becomes a content-addressed package. Same bytes, same CID, on any machine')
  const nodeCid = pack(node, `node@${process.versions.node}`)
  const cids = [
    pack(sources[0]!, `esbuild@${oldVersion}`),
    pack(sources[1]!, `esbuild@${newVersion}`),
    nodeCid,
    pack(npm, `npm@${programs.NPM_VERSION}`, '--dependency', `node=${nodeCid}`),
    ...(jq ? [pack(jq, 'jq@1.6.0')] : []),
  ]

  say('Publish: a registry is an index in the same store')
  pkg('registry', 'create', './reg')
  for (const cid of cids) pkg('publish', cid, '--registry', './reg')
  pkg('registry', 'add', 'main', './reg')
  pkg('search', 'esb')
  pkg('info', 'esbuild')

  say('Install: one new generation, one atomic rename')
  pkg('install', `esbuild@${oldVersion}`, 'node', 'npm', ...(jq ? ['jq'] : []))

  say(`Run them, straight from ${mounted ? 'the mount' : 'their checkouts'}`)
  writeFileSync(join(work, 'input.js'), 'import { greet } from "./greet.js"\nconsole.log(greet("world"))\n')
  writeFileSync(join(work, 'greet.js'), 'export const greet = (name) => "hello " + name\n')
  run('esbuild', '--version')
  run('esbuild', '--bundle', 'input.js', '--outfile=bundle.js')
  run('node', 'bundle.js')
  run('npm', '--version')
  if (jq) run('jq', '-n', '[1, 2, 3] | add')
  pkg('which', 'esbuild')

  say('Upgrade, look back, roll back')
  pkg('upgrade', 'esbuild')
  run('esbuild', '--version')
  pkg('history')
  pkg('diff', '1', '2')
  pkg('rollback')
  run('esbuild', '--version')
  pkg('switch', '2')
  pkg('remove', 'esbuild')
  pkg('list')

  say('Run without installing; collect what nobody needs')
  pkg('run', 'esbuild', '--', '--version')
  pkg('gc', '--dry-run')
  pkg('store', 'verify')

  say('Done. For a store of your own: `src/cli/pkg init`, and `src/cli/pkg --help`.')
} catch (error) {
  console.error(`\nquickstart: ${error instanceof Error ? error.message : error}`)
  console.error('`pkg doctor` says what this machine lacks:')
  console.error(spawnSync(PKG, ['doctor'], { env, encoding: 'utf8' }).stdout)
  process.exitCode ??= 1
} finally {
  spawnSync(PKG, ['daemon', 'stop', '--force'], { env, stdio: 'ignore' })
  open(work)
  rmSync(work, { recursive: true, force: true })
}

/** Checkouts are read-only, and who is not root removes nothing from a directory like that. */
function open(directory: string): void {
  chmodSync(directory, 0o700)
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) open(join(directory, entry.name))
  }
}
