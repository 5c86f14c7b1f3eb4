// The product as a user gets it: built, packed by npm, unpacked where npm would
// put it, with what it depends on hoisted beside it. No network: what is
// installed in this clone stands in for what npm would fetch.

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { stopDaemon } from '../../src/daemon/client/client.ts'
import { ENTRY_POINTS } from '../../src/entry.ts'
import { prefixPaths } from '../../src/paths.ts'
import { daemonPrefix, WITHOUT_FUSE } from '../daemon/prefix.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

const ROOT = join(import.meta.dirname, '../..')

type PackageJson = { dependencies: Record<string, string>; optionalDependencies: Record<string, string> }
const packageJson = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as PackageJson

const work = await temporaryDirectory({ after })
const installed = install(pack())
const pkg = join(work, 'bin/pkg')

/** Builds in a directory of its own and packs; gives the tarball's path. */
function pack(): string {
  const clone = join(work, 'clone')
  for (const path of ['package.json', 'src/cli/pkg', 'examples', 'native-notes', 'README.md']) {
    if (existsSync(join(ROOT, path))) cpSync(join(ROOT, path), join(clone, path), { recursive: true })
  }
  const build = join(ROOT, 'native-notes/build.ts')
  execFileSync(process.execPath, [build, '--no-types', '--outdir', join(clone, 'dist')])
  const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', work]
  return join(work, execFileSync('npm', args, { cwd: clone, encoding: 'utf8' }).trim())
}

/** Puts it where `npm install -g --prefix` would; gives the package's directory. */
function install(tarball: string): string {
  const modules = join(work, 'lib/node_modules')
  const directory = join(modules, 'ipfs-pkg')
  mkdirSync(directory, { recursive: true })
  execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', directory])
  const needed = [packageJson.dependencies, packageJson.optionalDependencies].flatMap(Object.keys)
  // The bundle holds fuse-native: an npm that gave it up must make no difference.
  for (const name of needed.filter((one) => one !== 'fuse-native')) {
    const source = join(ROOT, 'node_modules', name)
    if (!existsSync(source)) continue
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(source, join(modules, name))
  }
  mkdirSync(join(work, 'bin'))
  symlinkSync('../lib/node_modules/ipfs-pkg/src/cli/pkg', join(work, 'bin/pkg'))
  return directory
}

function run(args: string[], prefix: string) {
  const env = { PKG_PREFIX: prefix, PATH: '/usr/bin:/bin' }
  return spawnSync(pkg, args, { env, encoding: 'utf8' })
}

test('holds every entry point, and no source but the launcher', () => {
  for (const name of Object.keys(ENTRY_POINTS))
    assert.ok(existsSync(join(installed, `dist/${name}.js`)), name)
  assert.ok(!existsSync(join(installed, 'src/cli/main.ts')))
})

test('holds the README and the pages that it links to', () => {
  const pages = ['README.md', ...globSync('native-notes/*.md', { cwd: ROOT })]
  assert.ok(pages.length > 10)
  assert.deepEqual(
    pages.filter((page) => !existsSync(join(installed, page))),
    [],
  )
})

test('runs a command that needs the database', async (t) => {
  const file = join(await temporaryDirectory(t), 'file')
  writeFileSync(file, 'x'.repeat(3_000_000))
  const { status, stdout, stderr } = run(['store', 'add', file, '--json'], await temporaryDirectory(t))
  assert.equal(status, 0, stderr)
  assert.match(JSON.parse(stdout).cid, /^baf/)
})

test('mounts with the libfuse in the bundle', { skip: WITHOUT_FUSE }, async (t) => {
  const { root } = await daemonPrefix(t)
  const file = join(await temporaryDirectory(t), 'file')
  writeFileSync(file, 'x'.repeat(3_000_000))
  const { cid } = JSON.parse(run(['store', 'add', file, '--pin', 'test', '--json'], root).stdout)
  const started = run(['daemon', 'start'], root)
  assert.equal(started.status, 0, started.stderr)
  const read = execFileSync('find', [join(root, 'store', cid), '-type', 'f', '-size', '3000000c'])
  assert.match(read.toString(), new RegExp(cid))
  await stopDaemon(prefixPaths(root), { force: true })
})

test('is a library', async () => {
  const { Store, PkgError } = (await import(
    join(installed, 'dist/index.js')
  )) as typeof import('../../src/index.ts')
  assert.equal(typeof Store.open, 'function')
  assert.equal(new PkgError('USAGE', 'x').code, 'USAGE')
})
