import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import { adoptPackage } from '../../src/packages/adopt.ts'
import { readManifest } from '../../src/packages/package.ts'
import { currentPlatform } from '../../src/packages/platform.ts'
import { readTempPins } from '../../src/store/add/temp-pin.ts'
import type { CID } from '../../src/store/cid.ts'
import { closure } from '../../src/store/links/closure.ts'
import { Store } from '../../src/store/store.ts'
import { list } from '../../src/store/unixfs/directory.ts'
import { decodeNode } from '../../src/store/unixfs/node.ts'
import { readFile } from '../../src/store/unixfs/read.ts'
import { resolvePath } from '../../src/store/unixfs/resolve.ts'
import { stat } from '../../src/store/unixfs/stat.ts'
import { addForeign, type ForeignEntry } from '../helpers/foreign-dag.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

const SCRIPT = Buffer.from('#!/bin/sh\necho hello\n')

/** A script of so many bytes. */
const longScript = (bytes: number, fill: number) => Buffer.concat([SCRIPT, Buffer.alloc(bytes, fill)])

// One store for all: what one test adds does not change what another finds.
const shared = Store.open(await temporaryDirectory({ after }))
after(() => shared.close())

function at(store: Store, root: CID, path: string) {
  return resolvePath(store.blocks, root, path, { followLinks: true })
}

function modeOf(store: Store, root: CID, path: string): number {
  return stat(store.blocks, at(store, root, path).cid).mode
}

/** CIDs of all raw blocks below: the leaves. */
function leaves(store: Store, root: CID): Set<string> {
  return new Set([...closure(store, [root])].filter(({ code }) => code === 0x55).map(String))
}

test('a program elsewhere in the DAG gets an executable mode and a name in bin/', async () => {
  const store = shared
  const foreign = await addForeign(store, [
    { path: 'opt/tool/run.sh', content: SCRIPT },
    { path: 'opt/tool/data', content: Buffer.alloc(2_500_000, 1) },
  ])
  const { cid, manifest } = await adoptPackage(store, foreign, { as: 'tool@1.0.0', bin: ['opt/tool/run.sh'] })
  assert.deepEqual(manifest.programs, ['run.sh'])
  assert.deepEqual(readManifest(store.blocks, cid), manifest)
  const link = resolvePath(store.blocks, cid, 'bin/run.sh').node
  assert.ok(link.type === 'symlink' && link.target === '../opt/tool/run.sh')
  assert.equal(modeOf(store, cid, 'bin/run.sh'), 0o555)
  assert.deepEqual(Buffer.from(readFile(store.blocks, at(store, cid, 'bin/run.sh').cid)), SCRIPT)
})

test('every leaf is shared, also that of a program that becomes executable', async () => {
  const store = shared
  const foreign = await addForeign(store, [
    { path: 'a/run', content: SCRIPT },
    { path: 'a/large', content: longScript(2_500_000, 2) },
  ])
  const { cid } = await adoptPackage(store, foreign, { as: 'tool@1.0.0', bin: ['a/run', 'a/large'] })
  const before = leaves(store, foreign)
  const after = leaves(store, cid)
  assert.ok([...before].every((leaf) => after.has(leaf)))
  // The manifest is the only new one.
  assert.equal(after.size, before.size + 1)
  assert.equal(modeOf(store, cid, 'a/large'), 0o555)
})

test('a program in bin/ needs no link, and one that is executable stays the same block', async () => {
  const store = shared
  const foreign = await addForeign(store, [
    { path: 'bin/x', content: SCRIPT, mode: 0o755 },
    { path: 'bin/y', content: Buffer.from('y') },
  ])
  const { cid, manifest } = await adoptPackage(store, foreign, { as: 'x@1.0.0', bin: ['bin/x'] })
  assert.deepEqual(manifest.programs, ['x'])
  assert.ok(at(store, cid, 'bin').cid.equals(at(store, foreign, 'bin').cid))
})

test('without --bin the programs are what is executable in bin/', async () => {
  const store = shared
  const entries: ForeignEntry[] = [
    { path: 'lib/real', content: SCRIPT, mode: 0o755 },
    { path: 'bin/direct', content: SCRIPT, mode: 0o755 },
    { path: 'bin/linked', link: '../lib/real' },
    { path: 'bin/broken', link: '../nowhere' },
    { path: 'bin/readme', content: Buffer.from('no program') },
  ]
  const { manifest } = await adoptPackage(store, await addForeign(store, entries), { as: 'many@1.0.0' })
  assert.deepEqual(manifest.programs, ['direct', 'linked'])
})

test('what has no execute bit is a program when it begins like one; other files are refused by their path', async () => {
  const store = shared
  const foreign = await addForeign(store, [
    { path: 'usr/share/data', content: Buffer.from('data') },
    { path: 'usr/share/empty', content: Buffer.alloc(0) },
    { path: 'usr/share/private', content: Buffer.from('data'), mode: 0o640 },
    { path: 'usr/bin/marked', content: Buffer.from('echo no first line'), mode: 0o755 },
    { path: 'usr/bin/script', content: SCRIPT },
    { path: 'usr/bin/elf', content: Buffer.from('\x7fELF and so on') },
    { path: 'usr/bin/link', link: '../share/data' },
  ])
  for (const path of [
    'usr/share/data',
    'usr/share/empty',
    'usr/share/private',
    'usr/share',
    'usr/bin/link',
  ]) {
    const adopting = adoptPackage(store, foreign, { as: 'x@1.0.0', bin: [path] })
    const message = new RegExp(`^${path} is not an executable file`)
    await assert.rejects(adopting, { code: 'NOT_FILE', message }, path)
  }
  const bin = ['usr/bin/marked', 'usr/bin/script', 'usr/bin/elf']
  const { manifest } = await adoptPackage(store, foreign, { as: 'x@1.0.0', bin })
  assert.deepEqual(manifest.programs, ['elf', 'marked', 'script'])
  const alone = resolvePath(store.blocks, foreign, 'usr/share/data').cid
  await assert.rejects(adoptPackage(store, alone, { as: 'x@1.0.0' }), { code: 'NOT_FILE' })
})

test('a single file becomes bin/<name> of a new directory', async () => {
  const store = shared
  const wrapped = await addForeign(store, [{ path: 'file', content: SCRIPT }])
  const file = resolvePath(store.blocks, wrapped, 'file').cid
  const { cid, manifest } = await adoptPackage(store, file, { as: 'hello@2.0.0' })
  assert.deepEqual(manifest.programs, ['hello'])
  assert.equal(modeOf(store, cid, 'bin/hello'), 0o555)
  assert.ok(leaves(store, cid).has(file.toString()))
  const named = await adoptPackage(store, file, { as: 'hello@2.0.0', bin: ['hi'] })
  assert.deepEqual(named.manifest.programs, ['hi'])
})

for (const shardFanoutBits of [8, 4]) {
  test(`a HAMT root of fan-out ${2 ** shardFanoutBits} stays one, with all its entries`, async () => {
    const store = shared
    const names = Array.from({ length: 700 }, (_, index) => `entry-${index}`)
    const entries = names.map((path) => ({ path, content: Buffer.from(`#!${path}`) }))
    const foreign = await addForeign(store, entries, { shardSplitThresholdBytes: 100, shardFanoutBits })
    assert.equal(decodeNode(foreign, store.blocks.get(foreign)).type, 'hamt')
    const { cid } = await adoptPackage(store, foreign, { as: 'hamt@1.0.0', bin: ['entry-7', 'entry-699'] })
    const expected = [...names, '.pkg', 'bin'].sort()
    assert.deepEqual([...list(store.blocks, cid)].map(({ name }) => name).sort(), expected)
    assert.deepEqual(readManifest(store.blocks, cid).programs, ['entry-699', 'entry-7'])
    assert.equal(modeOf(store, cid, 'bin/entry-699'), 0o555)
    for (const name of names)
      assert.equal(Buffer.from(readFile(store.blocks, at(store, cid, name).cid)).toString(), `#!${name}`)
  })
}

test('a CIDv0 DAG is adopted, times and all, and always as the same CID', async () => {
  const store = shared
  const mtime = { secs: 1_600_000_000n, nsecs: 9 }
  const entries: ForeignEntry[] = [
    { path: 'sub', mtime },
    // More than one leaf: of a single one with a mode the library makes a file that holds the leaf's node.
    { path: 'sub/run', content: longScript(1_300_000, 3), mtime, mode: 0o640 },
  ]
  const foreign = await addForeign(store, entries, {
    profile: 'unixfs-v0-2015',
    cidVersion: 0,
    rawLeaves: false,
  })
  assert.equal(foreign.version, 0)
  const first = await adoptPackage(store, foreign, { as: 'old@1.0.0', bin: ['sub/run'] })
  await new Promise((resolve) => setTimeout(resolve, 5))
  const second = await adoptPackage(store, foreign.toV1(), { as: 'old@1.0.0', bin: ['sub/run'] })
  assert.ok(first.cid.equals(second.cid))
  assert.equal(first.cid.version, 1)
  const { mtime: kept } = stat(store.blocks, at(store, first.cid, 'sub').cid)
  assert.deepEqual(kept, { seconds: 1_600_000_000, nanoseconds: 9 })
  assert.equal(modeOf(store, first.cid, 'sub/run'), 0o555)
})

test('the platform is read from the headers of the programs', async () => {
  const head = readFileSync('/proc/self/exe').subarray(0, 65_536)
  const foreign = await addForeign(shared, [{ path: 'node', content: head }])
  const { manifest } = await adoptPackage(shared, foreign, { as: 'node@1.0.0', bin: ['node'] })
  assert.deepEqual(manifest.platforms, [currentPlatform()])
  const given = [{ os: 'linux', arch: 'riscv64' }]
  const said = await adoptPackage(shared, foreign, {
    as: 'node@1.0.0',
    bin: ['node'],
    manifest: { platforms: given },
  })
  assert.deepEqual(said.manifest.platforms, given)
})

const refused: [
  title: string,
  entries: ForeignEntry[],
  bin: string[],
  code: Parameters<typeof hasCode>[1],
][] = [
  ['a path that is not there', [{ path: 'a', content: SCRIPT }], ['b'], 'NOT_FOUND'],
  ['a directory for a program', [{ path: 'a/b', content: SCRIPT }], ['a'], 'NOT_FILE'],
  [
    'a link to what cannot be run',
    [
      { path: 'a', content: SCRIPT },
      { path: 'l', link: 'a' },
    ],
    ['l'],
    'NOT_FILE',
  ],
  [
    'a name in bin/ that is taken',
    [
      { path: 'bin/x', content: SCRIPT },
      { path: 'y/x', content: Buffer.from('#!y') },
    ],
    ['y/x'],
    'EXISTS',
  ],
  [
    'two programs of one name',
    [
      { path: 'a/x', content: SCRIPT },
      { path: 'b/x', content: Buffer.from('#!y') },
    ],
    ['a/x', 'b/x'],
    'EXISTS',
  ],
  ['no path at all', [{ path: 'a', content: SCRIPT }], [''], 'BAD_NAME'],
  ['a DAG that is a package', [{ path: '.pkg/manifest.json', content: Buffer.from('{}') }], [], 'EXISTS'],
]
for (const [title, entries, bin, code] of refused) {
  test(`${title} is refused`, async () => {
    const store = shared
    const foreign = await addForeign(store, entries)
    await assert.rejects(adoptPackage(store, foreign, { as: 'x@1.0.0', bin }), (error) =>
      hasCode(error, code),
    )
  })
}

test('a DAG that is not all here is refused', async () => {
  const store = shared
  const foreign = await addForeign(store, [{ path: 'a', content: SCRIPT }])
  store.blocks.delete(resolvePath(store.blocks, foreign, 'a').cid)
  await assert.rejects(adoptPackage(store, foreign, { as: 'x@1.0.0' }), (error) =>
    hasCode(error, 'INCOMPLETE'),
  )
})

test('names that a rewrite would change are refused, not renamed', async () => {
  const store = shared
  const foreign = await addForeign(store, [
    { path: '\uFEFFmark', content: SCRIPT },
    { path: 'run', content: SCRIPT },
  ])
  await assert.rejects(adoptPackage(store, foreign, { as: 'x@1.0.0' }), (error) =>
    hasCode(error, 'UNSUPPORTED'),
  )
})

test('while `keep` runs the package is protected, afterwards no longer', async () => {
  const store = shared
  const foreign = await addForeign(store, [{ path: 'bin/x', content: SCRIPT, mode: 0o755 }])
  let pins = 0
  await adoptPackage(store, foreign, {
    as: 'x@1.0.0',
    keep: () => {
      pins = readTempPins(store.paths).length
    },
  })
  assert.equal(pins, 1)
  assert.equal(readTempPins(store.paths).length, 0)
})
