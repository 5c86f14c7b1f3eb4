// Real programs, from their makers' archives to the store (mounted, or checked out where nothing can be): packed, published,
// installed, run at real work, upgraded and rolled back.

import assert from 'node:assert/strict'
import { readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as programs from '../../examples/programs.ts'
import { machine } from './machine.ts'

const [OLD, NEW] = programs.ESBUILD_VERSIONS
const NO_DEBIAN = programs.hasDebian() ? false : 'apt-get and dpkg-deb are not here to fetch jq with'
const box = await machine({ after })

before(
  async () => {
    const cache = programs.PROGRAM_CACHE
    await box.pkg('registry', 'create', 'reg')
    const publish = async (directory: string, as: string, ...more: string[]) => {
      const cid = await box.pack(directory, as, ...more)
      await box.pkg('publish', cid, '--registry', 'reg')
      return cid
    }
    for (const version of [OLD, NEW]) await publish(programs.esbuild(version, cache), `esbuild@${version}`)
    const node = await publish(programs.node(cache), `node@${process.versions.node}`)
    await publish(programs.npm(cache), `npm@${programs.NPM_VERSION}`, '--dependency', `node=${node}`)
    if (!NO_DEBIAN) await publish(programs.jq(cache), 'jq@1.6.0')
    await box.pkg('registry', 'add', 'main', 'reg')
  },
  { timeout: 300_000 },
)

test('esbuild, installed by name, runs from its store path and bundles a file', async () => {
  await box.pkg('install', `esbuild@${OLD}`)
  const program = realpathSync(join(box.home, '.pkg-profile', 'bin', 'esbuild'))
  assert.match(program, new RegExp(`^${realpathSync(box.store())}/bafy[a-z2-7]+/bin/esbuild$`))
  assert.equal(box.run('esbuild', '--version').trim(), OLD)
  writeFileSync(join(box.directory, 'a.js'), 'import { b } from "./b.js"\nconsole.log(b)\n')
  writeFileSync(join(box.directory, 'b.js'), 'export const b = "from b"\n')
  box.run('esbuild', '--bundle', 'a.js', '--outfile=bundle.js', '--log-level=error')
  assert.match(readFileSync(join(box.directory, 'bundle.js'), 'utf8'), /from b/)
})

test('node, a binary of 110 MB, runs a script', async () => {
  await box.pkg('install', 'node')
  const script = 'console.log(process.execPath, [1, 2, 3].map((n) => n * n).join())'
  assert.match(box.run('node', '-e', script), /\/store\/bafy[a-z2-7]+\/bin\/node 1,4,9$/m)
})

test('npm, thousands of small files, is run by the node of its own closure', async () => {
  await box.pkg('remove', 'node')
  await box.pkg('install', 'npm')
  assert.equal(box.run('npm', '--version').trim(), programs.NPM_VERSION)
  writeFileSync(join(box.directory, 'package.json'), '{"name": "x", "version": "1.2.3"}')
  assert.match(box.run('npm', 'pkg', 'get', 'version'), /1\.2\.3/)
})

test('jq, with its shared libraries beside it, filters JSON', { skip: NO_DEBIAN }, async () => {
  await box.pkg('install', 'jq')
  assert.equal(box.run('jq', '-n', '-c', '[1, 2, 3] | map(. * 2)').trim(), '[2,4,6]')
})

test('an upgrade is there at once, a program that runs keeps its own version', async () => {
  const program = realpathSync(join(box.home, '.pkg-profile', 'bin', 'esbuild'))
  await box.pkg('upgrade')
  assert.equal(box.run('esbuild', '--version').trim(), NEW)
  assert.notEqual(realpathSync(join(box.home, '.pkg-profile', 'bin', 'esbuild')), program)
  await box.pkg('gc')
  await box.pkg('rollback')
  assert.equal(box.run('esbuild', '--version').trim(), OLD)
})

test('a program runs without being installed', async () => {
  await box.pkg('remove', 'esbuild')
  assert.equal((await box.pkg('run', `esbuild@${NEW}`, '--', '--version')).trim(), NEW)
})

test('the store is whole after all that', async () => {
  assert.match(await box.pkg('store', 'verify'), /all good/)
})
