// The launcher in the layouts that npm makes, with a fake node that tells how it was called.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmod, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryDirectory } from '../helpers/temp.ts'

const LAUNCHER = join(import.meta.dirname, '../../src/cli/pkg')
const PLATFORM_PACKAGE = `node-linux-${process.arch}`

/** Says which node it is and what it was given; passes every version check. */
const FAKE_NODE = '#!/bin/sh\n[ "$1" = -e ] && exit 0\necho "$0"\nprintf "%s\\n" "$@"\n'

type Layout = { root: string; directory: string }

async function installed(t: TestContext, { built = true } = {}): Promise<Layout> {
  const directory = await temporaryDirectory(t)
  const root = join(directory, 'lib/node_modules/ipfs-pkg')
  await write(join(root, built ? 'dist/pkg.js' : 'src/cli/start.ts'), '')
  await mkdir(join(root, 'src/cli'), { recursive: true })
  await copyFile(LAUNCHER, join(root, 'src/cli/pkg'))
  return { root, directory }
}

async function write(path: string, text: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
  await chmod(path, 0o755)
  return path
}

async function link(target: string, path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  await symlink(target, path)
  return path
}

function run(command: string, args: string[] = [], options: { cwd?: string; path?: string } = {}) {
  const { path = '/usr/bin:/bin', cwd } = options
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env: { PATH: path }, encoding: 'utf8' })
  const [node, ...rest] = stdout.trimEnd().split('\n')
  // Node's own options stand before it.
  const entry = rest.findIndex((arg) => !arg.startsWith('--'))
  return {
    status,
    stderr,
    node,
    entry: rest[entry],
    args: rest.slice(entry + 1),
  }
}

test('runs the node of its own node_modules on the bundle', async (t) => {
  const { root } = await installed(t)
  const node = await write(join(root, 'node_modules', PLATFORM_PACKAGE, 'bin/node'), FAKE_NODE)
  const result = run(join(root, 'src/cli/pkg'))
  assert.equal(result.node, node)
  assert.equal(result.entry, join(root, 'dist/pkg.js'))
})

test('runs a node that npm hoisted beside the package', async (t) => {
  const { root } = await installed(t)
  const node = await write(join(dirname(root), PLATFORM_PACKAGE, 'bin/node'), FAKE_NODE)
  assert.equal(run(join(root, 'src/cli/pkg')).node, node)
})

test('runs the sources where there is no bundle', async (t) => {
  const { root } = await installed(t, { built: false })
  await write(join(root, 'node_modules', PLATFORM_PACKAGE, 'bin/node'), FAKE_NODE)
  assert.equal(run(join(root, 'src/cli/pkg')).entry, join(root, 'src/cli/start.ts'))
})

test('finds its package through the link in a bin directory, and through a link to that', async (t) => {
  const { root, directory } = await installed(t)
  await write(join(root, 'node_modules', PLATFORM_PACKAGE, 'bin/node'), FAKE_NODE)
  const bin = await link('../lib/node_modules/ipfs-pkg/src/cli/pkg', join(directory, 'bin/pkg'))
  const own = await link(bin, join(directory, 'home/bin/my-pkg'))
  assert.equal(run(bin).entry, join(root, 'dist/pkg.js'))
  assert.equal(run(own).entry, join(root, 'dist/pkg.js'))
})

test('may be called by a relative path, and by sh', async (t) => {
  const { root } = await installed(t)
  await write(join(root, 'node_modules', PLATFORM_PACKAGE, 'bin/node'), FAKE_NODE)
  assert.equal(run('./pkg', [], { cwd: join(root, 'src/cli') }).entry, join(root, 'dist/pkg.js'))
  assert.equal(run('/bin/sh', ['src/cli/pkg'], { cwd: root }).entry, join(root, 'dist/pkg.js'))
})

test('hands arguments on as they are', async (t) => {
  const { root } = await installed(t)
  await write(join(root, 'node_modules', PLATFORM_PACKAGE, 'bin/node'), FAKE_NODE)
  const args = ['run', 'a b', '', '--', '--x=$HOME', '*']
  assert.deepEqual(run(join(root, 'src/cli/pkg'), args).args, args)
})

test('options for other Nodes are put by for the programs that it runs; PKG_NODE_OPTIONS are for ours', async (t) => {
  const { root } = await installed(t)
  const fake = '#!/bin/sh\nprintf "%s|%s\\n" "$NODE_OPTIONS" "$PROGRAMS_NODE_OPTIONS"\n'
  await write(join(root, 'node_modules', PLATFORM_PACKAGE, 'bin/node'), fake)
  const told = (env: NodeJS.ProcessEnv) =>
    spawnSync(join(root, 'src/cli/pkg'), { env, encoding: 'utf8' }).stdout.trim()
  const NODE_OPTIONS = '--require /gone.js'
  assert.equal(told({ NODE_OPTIONS }), `|${NODE_OPTIONS}`)
  assert.equal(told({ NODE_OPTIONS, PKG_NODE_OPTIONS: '--cpu-prof' }), `--cpu-prof|${NODE_OPTIONS}`)
  assert.equal(told({}), '|')
})

test('works below a directory with spaces in its name', async (t) => {
  const { root, directory } = await installed(t)
  await write(join(root, 'node_modules', PLATFORM_PACKAGE, 'bin/node'), FAKE_NODE)
  const odd = await link(root, join(directory, 'a b  c'))
  assert.equal(run(join(odd, 'src/cli/pkg')).entry, join(odd, 'dist/pkg.js'))
})

test('takes the node of PATH where the platform package is missing', async (t) => {
  const { root, directory } = await installed(t)
  const node = await write(join(directory, 'bin/node'), FAKE_NODE)
  const result = run(join(root, 'src/cli/pkg'), [], { path: `${dirname(node)}:/usr/bin:/bin` })
  assert.equal(result.node, node)
})

test('says what is missing, with exit status 8, when PATH has only an old node', async (t) => {
  const { root, directory } = await installed(t)
  const node = await write(join(directory, 'bin/node'), '#!/bin/sh\nexit 1\n')
  const result = run(join(root, 'src/cli/pkg'), [], { path: `${dirname(node)}:/usr/bin:/bin` })
  assert.equal(result.status, 8)
  assert.match(result.stderr, /no Node\.js of 22\.18 or later/)
  assert.match(result.stderr, /^hint: /m)
})
