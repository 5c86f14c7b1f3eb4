// The types of the library, in a project that has nothing but what `npm install ipfs-pkg` brings, and
// that checks all that it imports: no `skipLibCheck`.

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import packageJson from '../../package.json' with { type: 'json' }
import { temporaryDirectory } from '../helpers/temp.ts'

const ROOT = join(import.meta.dirname, '..', '..')

const USE = `import { type CID, importTree, openHelia, PkgError, Store, withAdd } from 'ipfs-pkg'
const store = Store.open('/nowhere')
const cid: CID = await withAdd(store, async (add) => (await importTree(add, '/nowhere')).cid)
// @ts-expect-error: a CID is no number
const wrong: number = cid
const { helia } = await openHelia(store)
await helia.stop()
console.log(new PkgError('USAGE', 'x').code, wrong)
`

test('a fresh project compiles against them', async (t) => {
  const project = await temporaryDirectory(t)
  const installed = join(project, 'node_modules', 'ipfs-pkg')
  execFileSync(process.execPath, [join(ROOT, 'native-notes/build.ts'), '--outdir', join(project, 'dist')])
  mkdirSync(join(project, 'node_modules', '@types'), { recursive: true })
  for (const path of ['package.json', 'src/packages/manifest.schema.json']) {
    cpSync(join(ROOT, path), join(installed, path))
  }
  cpSync(join(project, 'dist'), join(installed, 'dist'), { recursive: true })
  // What comes with them: `undici-types` is a dependency of Node's.
  for (const name of [...Object.keys(packageJson.dependencies), 'undici-types']) {
    symlinkSync(join(ROOT, 'node_modules', name), join(project, 'node_modules', name))
  }
  writeFileSync(join(project, 'package.json'), '{"type":"module"}')
  writeFileSync(join(project, 'use.ts'), USE)
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2024',
    strict: true,
    noEmit: true,
    types: ['node'],
  }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }))
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', project], { encoding: 'utf8' })
  assert.deepEqual([status, stdout], [0, ''])
})
