// What an import refuses, and that nothing of it is left when it does.

import { strict as assert } from 'node:assert'
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import { withAdd } from '../../src/store/add/add.ts'
import { arrangeEntries, type TreeEntry } from '../../src/store/import/entries.ts'
import { CHUNK_BYTES } from '../../src/store/import/format.ts'
import { type ImportOptions, importTree } from '../../src/store/import/import-tree.ts'
import { Outbox } from '../../src/store/import/outbox.ts'
import { readSource } from '../../src/store/import/read.ts'
import { Store } from '../../src/store/store.ts'
import { runPowerless } from '../helpers/powerless.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

type Case = { store: Store; tree: string; file: string }

/** A store, and a tree with one file in it. */
async function openCase(t: TestContext): Promise<Case> {
  const directory = await temporaryDirectory(t)
  const store = Store.open(join(directory, 'prefix'))
  t.after(() => store.close())
  const tree = join(directory, 'tree')
  mkdirSync(tree)
  const file = join(tree, 'file')
  writeFileSync(file, 'content')
  return { store, tree, file }
}

/** The import fails with this code and names `named`; no temp pin and no temp file stays. */
async function refuses(
  { store, tree }: Case,
  code: string,
  named: string,
  options?: ImportOptions,
): Promise<void> {
  await assert.rejects(
    withAdd(store, (add) => importTree(add, tree, options)),
    (error: Error & { code?: string }) => error.code === code && error.message.includes(named),
  )
  assert.deepEqual(readdirSync(store.paths.tempPins), [])
  assert.deepEqual(readdirSync(store.paths.blocksTemp), [])
}

/** Does something to the tree between the walk's look at an entry and its reading. */
const between = (action: () => void): ImportOptions => ({
  filter: () => {
    action()
    return true
  },
})

test('a name that is not UTF-8 is refused', async (t) => {
  const at = await openCase(t)
  writeFileSync(Buffer.concat([Buffer.from(`${at.tree}/`), Buffer.from([0x61, 0xff])]), '')
  await refuses(at, 'BAD_NAME', at.tree)
})

test('a symlink target that is not UTF-8 is refused', async (t) => {
  const at = await openCase(t)
  symlinkSync(Buffer.from([0xc3, 0x28]), join(at.tree, 'link'))
  await refuses(at, 'BAD_NAME', join(at.tree, 'link'))
})

test('a FIFO is refused, without waiting for a writer', async (t) => {
  const at = await openCase(t)
  execFileSync('mkfifo', [join(at.tree, 'pipe')])
  await refuses(at, 'UNSUPPORTED', join(at.tree, 'pipe'))
})

test('a socket is refused', async (t) => {
  const at = await openCase(t)
  const server = createServer().listen(join(at.tree, 's'))
  t.after(() => server.close())
  await refuses(at, 'UNSUPPORTED', join(at.tree, 's'))
})

test('a device is refused', async (t) => {
  const at = await openCase(t)
  await refuses({ ...at, tree: '/dev/null' }, 'UNSUPPORTED', '/dev/null')
})

test('what does not exist is refused', async (t) => {
  const at = await openCase(t)
  await refuses({ ...at, tree: join(at.tree, 'none') }, 'NOT_FOUND', 'none')
})

test('a file that may not be read is refused', async (t) => {
  const at = await openCase(t)
  chmodSync(at.file, 0)
  const sources = new URL('../../src/store/', import.meta.url).pathname
  const script = `
    const { Store } = await import('${sources}store.ts')
    const { withAdd } = await import('${sources}add/add.ts')
    const { importTree } = await import('${sources}import/import-tree.ts')
    try { await withAdd(Store.open('${at.store.paths.root}'), (add) => importTree(add, '${at.tree}')) }
    catch (error) { console.log(error.code, error.message) }`
  const { stdout } = runPowerless(['--input-type=module', '-e', script])
  assert.equal(stdout.trim(), `PERMISSION ${at.file} cannot be read`)
})

test('a file that vanishes between the walk and its reading', async (t) => {
  const at = await openCase(t)
  await refuses(
    at,
    'CHANGED',
    at.file,
    between(() => rmSync(at.file)),
  )
})

test('a file that becomes a symlink is not followed', async (t) => {
  const at = await openCase(t)
  const swap = () => {
    rmSync(at.file)
    symlinkSync('/etc/passwd', at.file)
  }
  await refuses(at, 'CHANGED', at.file, between(swap))
})

test('a file that becomes a FIFO does not hang the import', async (t) => {
  const at = await openCase(t)
  const swap = () => {
    rmSync(at.file)
    execFileSync('mkfifo', [at.file])
  }
  await refuses(at, 'CHANGED', at.file, between(swap))
})

test('a large file that grows between the walk and its reading', async (t) => {
  const at = await openCase(t)
  truncateSync(at.file, 12 * CHUNK_BYTES)
  await refuses(
    at,
    'CHANGED',
    at.file,
    between(() => appendFileSync(at.file, 'x')),
  )
})

for (const [title, change] of [
  ['grows', (file: string) => appendFileSync(file, 'more')],
  ['shrinks', (file: string) => truncateSync(file, 2)],
  ['is written to', (file: string) => writeFileSync(file, 'Content', { flag: 'r+' })],
  ['is replaced', (file: string) => rmSync(file)],
] as const) {
  test(`a file that ${title} while it is read`, async (t) => {
    const { file } = await openCase(t)
    /** The reading asks for room between its look at the file and the first byte. */
    class Meddling extends Outbox {
      override async room(length: number): Promise<Buffer> {
        change(file)
        return super.room(length)
      }
    }
    const outbox = new Meddling({
      writer: { write: async () => ({ written: 0, present: 0, writtenBytes: 0 }) },
    })
    await assert.rejects(readSource({ path: file }, outbox), { code: 'CHANGED' })
  })
}

test('a worker thread that meets an error ends the import with that error', async (t) => {
  const at = await openCase(t)
  for (let index = 0; index < 1500; index++) writeFileSync(join(at.tree, `f${index}`), `${index}`)
  let left = 1400
  const vanish = between(() => {
    left -= 1
    if (left === 0) for (let index = 0; index < 1500; index++) rmSync(join(at.tree, `f${index}`))
  })
  await refuses(at, 'CHANGED', at.tree, vanish)
})

test('an aborted import throws the reason and leaves nothing', async (t) => {
  const at = await openCase(t)
  for (let index = 0; index < 1500; index++) writeFileSync(join(at.tree, `f${index}`), `${index}`)
  const controller = new AbortController()
  const reason = new Error('enough')
  const stop = () => controller.abort(reason)
  await assert.rejects(
    withAdd(at.store, (add) => importTree(add, at.tree, { signal: controller.signal, onProgress: stop })),
    reason,
  )
  assert.deepEqual(readdirSync(at.store.paths.tempPins), [])
  assert.deepEqual(readdirSync(at.store.paths.blocksTemp), [])
})

test('extra entries for what is no directory are refused', async (t) => {
  const at = await openCase(t)
  const extra: TreeEntry[] = [{ path: 'a', link: 'b' }]
  await refuses({ ...at, tree: at.file }, 'NOT_DIRECTORY', at.file, { extra })
})

const empty = new Uint8Array()
for (const [title, entries, code] of [
  ['an absolute path', [{ path: '/a', content: empty }], 'BAD_NAME'],
  ['a path that climbs', [{ path: 'a/../b', content: empty }], 'BAD_NAME'],
  ['an empty path', [{ path: '', content: empty }], 'BAD_NAME'],
  ['half a surrogate pair', [{ path: '\ud800', content: empty }], 'BAD_NAME'],
  ['an empty link target', [{ path: 'a', link: '' }], 'BAD_NAME'],
  [
    'one path twice',
    [
      { path: 'a', content: empty },
      { path: 'a', link: 'b' },
    ],
    'EXISTS',
  ],
  [
    'a file where a directory is',
    [
      { path: 'a/b', content: empty },
      { path: 'a', content: empty },
    ],
    'EXISTS',
  ],
  [
    'a path through a file',
    [
      { path: 'a', content: empty },
      { path: 'a/b', directory: true },
    ],
    'EXISTS',
  ],
] as [string, TreeEntry[], 'BAD_NAME' | 'EXISTS'][]) {
  test(`entries with ${title} are refused`, () => {
    assert.throws(
      () => arrangeEntries(entries),
      (error) => hasCode(error, code),
    )
  })
}

test('a directory may be named again and again', () => {
  const tree = arrangeEntries([
    { path: 'a', directory: true },
    { path: 'a/b', directory: true },
    { path: 'a', directory: true },
  ])
  assert.deepEqual([...tree.children.keys()], ['a'])
})

test('who owns a tree has nothing read that lies elsewhere, by a link in the place of a directory', async (t) => {
  const { store, tree } = await openCase(t)
  const secrets = join(tree, '..', 'secrets')
  mkdirSync(secrets)
  writeFileSync(join(secrets, 'a'), 'secret')
  symlinkSync('secret', join(secrets, 'link'))
  const sub = join(tree, 'sub')
  mkdirSync(sub)
  writeFileSync(join(sub, 'a'), 'harmless')
  symlinkSync('harmless', join(sub, 'link'))
  // Each time at the moment when this path was looked at and is to be read.
  for (const moment of ['sub', 'sub/a', 'sub/link']) {
    const swap = (path: string) => {
      if (path === moment) {
        renameSync(sub, `${sub}.away`)
        symlinkSync(secrets, sub)
      }
      return true
    }
    const adding = withAdd(store, (add) => importTree(add, tree, { filter: swap }))
    await assert.rejects(adding, (error) => hasCode(error, 'CHANGED'), moment)
    rmSync(sub)
    renameSync(`${sub}.away`, sub)
  }
})

test('a tree is added by whatever path leads to it', async (t) => {
  const { store, tree, file } = await openCase(t)
  const link = join(tree, '..', 'link')
  symlinkSync('.', link)
  symlinkSync('file', join(tree, 'to-file'))
  const cidOf = async (path: string) => `${(await withAdd(store, (add) => importTree(add, path))).cid}`
  const dotted = join(tree, '..').concat('/./tree/../tree')
  for (const [one, other] of [
    [tree, join(link, 'tree')],
    [tree, dotted],
    [file, join(link, 'tree', 'file')],
    [join(tree, 'to-file'), join(link, 'tree', 'to-file')],
  ] as const) {
    assert.equal(await cidOf(other), await cidOf(one))
  }
})
