// A prefix to which something happened that no program of ours does: copied while it is
// in use, parts deleted, modes changed, times in the future. All of it ends in work or
// in a clear error, and nothing that a root keeps is lost.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, readdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import { removeUnfinished } from '../../src/collector/leftovers.ts'
import { addPin } from '../../src/pins/pins.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { recheck } from '../../src/store/add/recheck.ts'
import { TempPin } from '../../src/store/add/temp-pin.ts'
import { rawCid } from '../../src/store/blocks/hash.ts'
import { buildTree } from '../../src/store/import/tree.ts'
import { Store } from '../../src/store/store.ts'
import { runPowerless } from '../helpers/powerless.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { checkBlockFiles, checkPrefix } from '../stress/checker.ts'

const START = join(import.meta.dirname, '..', '..', 'src', 'cli', 'start.ts')

/** A tree with a file of these words, pinned under them. */
function pinTree(store: Store, words: string) {
  return withAdd(store, async (add) => {
    const { cid } = await buildTree(add, [{ path: 'file', content: Buffer.from(words) }])
    await add.commit([cid])
    await addPin(store, { prog: words, cid })
    return cid
  })
}

async function prefixInUse(t: TestContext): Promise<Store> {
  const store = Store.open(join(await temporaryDirectory(t), 'prefix'))
  t.after(() => store.close())
  await pinTree(store, 'kept')
  return store
}

/** Adds, pins, finds what was kept, collects. */
async function works(root: string): Promise<void> {
  const store = Store.open(root)
  try {
    await pinTree(store, 'new')
    await withAdd(store, (add) => add.put([{ cid: rawCid(Buffer.from('dead')), bytes: Buffer.from('dead') }]))
    await runCollection(store)
    assert.equal(readdirSync(join(root, 'pins', 'per-user')).length, 1)
    assert.deepEqual([...checkPrefix(root), ...checkBlockFiles(root)], [])
  } finally {
    store.close()
  }
}

test('a copy that was made while the original is in use works, and so does the original', async (t) => {
  const original = await prefixInUse(t)
  const { root } = original.paths
  const copy = `${root}-copy`
  const busy = new TempPin(original.paths)
  busy.addBlocks([rawCid(Buffer.from('busy')).multihash.bytes])
  cpSync(root, copy, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
  await works(copy)
  busy.close()
  await works(root)
})

test('what the original knows to be on stable storage is not known so in a copy', async (t) => {
  const original = await prefixInUse(t)
  const cid = await pinTree(original, 'kept')
  original.close()
  const copy = `${original.paths.root}-copy`
  execFileSync('cp', ['-a', original.paths.root, copy])
  const store = Store.open(copy)
  try {
    assert.ok(store.index.isComplete(cid))
    // Nothing is read: in the same boot a copy has what was written. It is flushed.
    assert.equal((await recheck(store))?.blocks, 0)
    assert.ok(!store.index.isComplete(cid))
    assert.equal(await recheck(store), undefined)
  } finally {
    store.close()
  }
})

for (const part of ['var', 'var/index.db', 'blocks/.stable', 'blocks/.tmp', 'pins/temp', 'store']) {
  test(`${part} deleted`, async (t) => {
    const { paths } = await prefixInUse(t)
    rmSync(join(paths.root, part), { recursive: true })
    if (part === 'blocks/.tmp') execFileSync('mkdir', [paths.blocksTemp])
    await works(paths.root)
  })
}

for (const [what, spoil] of [
  ['cut in half', (file: string) => truncateSync(file, 6000)],
  ['of zeros', (file: string) => writeFileSync(file, Buffer.alloc(12_288))],
] as const) {
  test(`an index ${what}`, async (t) => {
    const store = await prefixInUse(t)
    store.close()
    spoil(store.paths.index)
    await works(store.paths.root)
  })
}

test('leftovers from the future stay until their time has come, and hurt nobody', async (t) => {
  const { paths } = await prefixInUse(t)
  const left = join(paths.blocksTemp, '1-0-0')
  writeFileSync(left, 'half a block')
  const now = Date.now() / 1000
  utimesSync(left, now + 1e6, now + 1e6)
  assert.equal(removeUnfinished(paths, []), 0)
  await works(paths.root)
  utimesSync(left, now - 1e6, now - 1e6)
  assert.equal(removeUnfinished(paths, []), 1)
})

for (const [directory, mode, words] of [
  ['blocks', 0o555, ['store', 'add', '.']],
  ['blocks/.tmp', 0o000, ['store', 'add', '.']],
  ['pins', 0o555, ['store', 'add', '.', '--pin', 'p']],
  ['pins/per-user', 0o555, ['store', 'add', '.', '--pin', 'p']],
  ['pins/temp', 0o000, ['gc']],
  ['var', 0o000, ['gc']],
] as const) {
  const called = `pkg ${words.join(' ')}`
  test(`${directory} with mode ${mode.toString(8)}: \`${called}\` works or says why not`, async (t) => {
    const { paths } = await prefixInUse(t)
    const place = join(paths.root, directory)
    const source = await temporaryDirectory(t)
    writeFileSync(join(source, 'file'), 'new')
    chmodSync(place, mode)
    try {
      const full = words.map((word) => (word === '.' ? source : word))
      const env = { ...process.env, PKG_PREFIX: paths.root, HOME: source }
      const { status, stderr } = runPowerless(['--disable-warning=ExperimentalWarning', START, ...full], env)
      if (status !== 0) assert.match(stderr, /^pkg: .*\S/)
      assert.ok(status === 0 || status === 7, stderr)
    } finally {
      chmodSync(place, 0o755)
    }
    assert.deepEqual(checkPrefix(paths.root), [])
    await works(paths.root)
  })
}
