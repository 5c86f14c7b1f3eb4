import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { canonicalJson } from '../../src/packages/canonical-json.ts'
import { packDirectory } from '../../src/packages/pack.ts'
import { linkSize, readManifest } from '../../src/packages/package.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { readTempPins } from '../../src/store/add/temp-pin.ts'
import { importTree } from '../../src/store/import/import-tree.ts'
import { closureSize } from '../../src/store/links/closure.ts'
import { readFile } from '../../src/store/unixfs/read.ts'
import { resolvePath } from '../../src/store/unixfs/resolve.ts'
import { type Files, temporaryStore, writeFiles } from '../profiles/fixture.ts'
import { elfFile } from './elf-file.ts'

const program = '#!/bin/sh\necho hello\n'
const manifest = { format: 1, name: 'hello', version: '1.0.0', programs: ['hello'] } as const

const { store, directory } = await temporaryStore({ after })
let sources = 0

/** A new directory with these files. */
const source = (files: Files) => {
  const from = join(directory, `from-${sources++}`)
  writeFiles(from, files)
  return from
}

test('pack: a directory with a manifest is a package, its manifest as it was written', async () => {
  const text = JSON.stringify(manifest)
  const from = source({
    'bin/hello': program,
    '.pkg/manifest.json': text,
    '.hidden': 'x',
  })
  const packed = await packDirectory(store, from)
  assert.deepEqual(packed.manifest, manifest)
  assert.deepEqual(readManifest(store.blocks, packed.cid), manifest)
  const { cid } = resolvePath(store.blocks, packed.cid, '.pkg/manifest.json')
  assert.equal(new TextDecoder().decode(readFile(store.blocks, cid)), text)
  assert.equal(resolvePath(store.blocks, packed.cid, '.hidden').node.type, 'file')
  assert.ok(store.index.isComplete(packed.cid))
})

test('pack: --as makes a manifest in the DAG and leaves the directory alone', async () => {
  const from = source({
    'bin/hello': program,
    'bin/link': '-> hello',
    'bin/npm': '-> ../lib/npm.js',
    'bin/dangling': '-> nowhere',
    'lib/npm.js': 'x',
  })
  chmodSync(join(from, 'lib', 'npm.js'), 0o755)
  writeFiles(from, { 'bin/sub/inner': program, 'lib/data': 'x' })
  const packed = await packDirectory(store, from, {
    as: 'hello@1.0.0',
    manifest: { description: 'Says hello' },
  })
  const expected = { ...manifest, description: 'Says hello', programs: ['hello', 'link', 'npm'] }
  assert.deepEqual(packed.manifest, expected)
  assert.ok(!existsSync(join(from, '.pkg')))
})

test('pack: the same input gives the same CID, whatever its dates and its place', async () => {
  const files = { 'bin/hello': program, 'share/x': 'y' }
  const [one, other] = [source(files), source(files)]
  utimesSync(join(other, 'bin/hello'), 1, 1)
  const [a, b] = [
    await packDirectory(store, one, { as: 'hello@1.0.0' }),
    await packDirectory(store, other, { as: 'hello@1.0.0' }),
  ]
  assert.equal(a.cid.toString(), b.cid.toString())
})

test('pack: a packed directory that was written by hand is the same package', async () => {
  const from = source({ 'bin/hello': program })
  const made = await packDirectory(store, from, { as: 'hello@1.0.0' })
  writeFiles(from, { '.pkg/manifest.json': canonicalJson(manifest) })
  assert.equal((await packDirectory(store, from)).cid.toString(), made.cid.toString())
})

test('pack: the platform of the programs is read from their headers', async () => {
  const from = source({ 'bin/script': program })
  writeFiles(from, { 'bin/native': '' })
  writeFileSync(join(from, 'bin/native'), elfFile(183, '/lib/ld-musl-aarch64.so.1'))
  const { manifest: found } = await packDirectory(store, from, { as: 'a@1.0.0' })
  assert.deepEqual(found.platforms, [{ os: 'linux', arch: 'arm64', libc: 'musl' }])
  const said = await packDirectory(store, from, {
    as: 'a@1.0.0',
    manifest: { platforms: [{ os: 'linux', arch: 'x64' }] },
  })
  assert.deepEqual(said.manifest.platforms, [{ os: 'linux', arch: 'x64' }])
})

test('pack: dependencies are links in the DAG, with their sizes, and part of the closure', async () => {
  const from = source({ 'bin/dep': program })
  const dependency = await packDirectory(store, from, { as: 'dep@2.0.0' })
  writeFiles(join(from, 'user'), { 'bin/hello': program })
  const dependencies = [{ name: 'dep', version: '2.0.0', cid: dependency.cid.toString() }]
  const packed = await packDirectory(store, join(from, 'user'), {
    as: 'hello@1.0.0',
    manifest: { dependencies },
  })
  const found = resolvePath(store.blocks, packed.cid, '.pkg/dependencies/dep/bin/dep')
  assert.equal(new TextDecoder().decode(readFile(store.blocks, found.cid)), program)
  assert.equal(linkSize(store.blocks, dependency.cid), dependency.size)
  assert.ok(closureSize(store, packed.cid).blocks > closureSize(store, dependency.cid).blocks)
})

test('pack: what it was asked to keep runs while the package is still protected', async () => {
  const from = source({ 'bin/hello': program })
  let pins = -1
  await packDirectory(store, from, {
    as: 'a@1.0.0',
    keep: () => {
      pins = readTempPins(store.paths).length
    },
  })
  assert.equal(pins, 1)
  assert.equal(readTempPins(store.paths).length, 0)
})

const refused: [
  title: string,
  files: Files,
  as: string | undefined,
  expected: { code: string; message: RegExp },
][] = [
  [
    'no manifest and no --as',
    { 'bin/a': program },
    undefined,
    { code: 'BAD_MANIFEST', message: /has no \.pkg\/manifest\.json/ },
  ],
  [
    '--as beside a manifest',
    { 'bin/hello': program, '.pkg/manifest.json': JSON.stringify(manifest) },
    'b@1.0.0',
    { code: 'USAGE', message: /has a manifest already/ },
  ],
  [
    'a program that is not there',
    { '.pkg/manifest.json': JSON.stringify(manifest) },
    undefined,
    { code: 'BAD_MANIFEST', message: /bin\/hello is not an executable/ },
  ],
  [
    'a program that is not executable',
    { 'bin/hello': '-> ../x', x: 'x', '.pkg/manifest.json': JSON.stringify(manifest) },
    undefined,
    { code: 'BAD_MANIFEST', message: /not an executable/ },
  ],
  [
    'a program outside',
    { 'bin/sh': '-> /bin/sh' },
    'a@1.0.0',
    { code: 'BAD_MANIFEST', message: /leads out of the package, to \/bin\/sh/ },
  ],
  ['a wrong name', { 'bin/a': program }, 'A@1.0.0', { code: 'BAD_MANIFEST', message: /name: "A"/ }],
  [
    'a dependency that is not here',
    {
      'bin/hello': program,
      '.pkg/manifest.json': JSON.stringify({
        ...manifest,
        dependencies: [{ name: 'a', cid: 'bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi' }],
      }),
    },
    undefined,
    { code: 'INCOMPLETE', message: /bafybeigdyrzt/ },
  ],
  [
    'files where the dependencies go',
    {
      'bin/hello': program,
      '.pkg/dependencies/a': 'x',
      '.pkg/manifest.json': JSON.stringify({ ...manifest, dependencies: [{ name: 'a', cid: 'bafkqaaa' }] }),
    },
    undefined,
    { code: 'BAD_MANIFEST', message: /dependencies/ },
  ],
]

for (const [title, files, as, expected] of refused) {
  test(`pack: ${title} is refused`, async () => {
    const from = source(files)
    await assert.rejects(packDirectory(store, from, { as }), expected)
  })
}

test('pack: what is no directory is refused', async () => {
  const from = source({ file: 'x' })
  await assert.rejects(packDirectory(store, join(from, 'file')), { code: 'NOT_DIRECTORY' })
  await assert.rejects(packDirectory(store, join(directory, 'nothing')), { code: 'NOT_FOUND' })
})

test('pack: a DAG without a manifest is no package', async () => {
  const from = source({})
  mkdirSync(from, { recursive: true })
  const { cid } = await withAdd(store, (add) => importTree(add, from))
  assert.throws(() => readManifest(store.blocks, cid), { code: 'BAD_MANIFEST', message: /is not a package/ })
})
