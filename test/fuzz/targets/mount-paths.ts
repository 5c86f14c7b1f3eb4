// Every request of the kernel with paths that it would send, and with others.

import assert from 'node:assert/strict'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '../../../src/errors.ts'
import { BlockCache } from '../../../src/mount/block-cache.ts'
import { StoreFileSystem } from '../../../src/mount/handlers.ts'
import { prefixPaths } from '../../../src/paths.ts'
import type { CID } from '../../../src/store/cid.ts'
import { Dag, identityCid } from '../../fixtures/dag.ts'
import { directoryOfBadNames } from '../../fixtures/hostile.ts'
import { scratchDirectory } from '../scratch.ts'
import { bytesOf, codeOfRefusal, type Target } from '../target.ts'

const scratch = scratchDirectory()
const paths = prefixPaths(join(scratch, 'prefix'))
mkdirSync(paths.blocks, { recursive: true })
const dag = new Dag()
const leaf = dag.raw('content')
const root = dag.directory({
  a: leaf,
  link: dag.symlink('a'),
  bad: directoryOfBadNames(dag).cid,
  hamt: dag.hamt(
    ['a', 'b', 'cc', '\uFEFF'].map((name) => ({ name, cid: leaf })),
    8,
  ),
  file: dag.file([
    { cid: leaf, size: 7 },
    { cid: leaf, size: 7 },
  ]),
  lie: dag.file([{ cid: leaf, size: 9 }]),
  lost: rawLost(),
})
const source = {
  recycle() {},
  blocks: async (cids: readonly CID[]) =>
    cids.map((cid) => {
      try {
        return Uint8Array.from(dag.get(cid))
      } catch (error) {
        return error as never
      }
    }),
}
const sizes = {
  sizes: async (cids: readonly CID[]) => Float64Array.from(cids, () => 7),
}
const fs = new StoreFileSystem({ paths, cache: new BlockCache(source, { bytes: 10_000 }), sizes })

/** The first byte chooses the request and the second numbers for it, the rest is the path. */
export const target: Target = {
  name: 'mount-paths',
  seeds: ['', 'a', 'link', 'bad/a', 'bad/..', 'hamt/cc', 'file', 'lie', 'lost', 'a/x', 'file/x/y'].flatMap(
    (path) =>
      [0, 1, 2, 3, 4, 5].map((request) =>
        Buffer.concat([Buffer.from([request, 3]), bytesOf(`/${root}/${path}`)]),
      ),
  ),
  dictionary: [
    '/',
    '//',
    '/..',
    '/.',
    '\0',
    '%2f',
    'x'.repeat(256),
    `/${root}`,
    `/${leaf}`,
    `/${identityCid(bytesOf('id'))}`,
    '\uFEFF',
    'hamt',
    'bad',
    'file',
    '/a'.repeat(500),
  ].map(bytesOf),
  async run(input) {
    const path = `/${Buffer.from(input.subarray(2)).toString().replace(/^\/+/, '')}`
    const number = input[1] ?? 0
    try {
      return `${(input[0] ?? 0) % 6} ${await ask(path, (input[0] ?? 0) % 6, number)}`
    } catch (error) {
      assert.ok(errnoOf(error) < 0)
      return `${(input[0] ?? 0) % 6} ${codeOfRefusal(error)}`
    }
  },
  close: () => rmSync(scratch, { recursive: true, force: true }),
}

async function ask(path: string, request: number, number: number): Promise<string> {
  if (request === 0) return (await fs.getattr(path)).size > 0 ? 'some' : 'none'
  if (request === 1) {
    const names = [...(await fs.readdir(path))].map(({ name }) => name)
    for (const name of names) assert.ok(name !== '' && !/[/\0]/.test(name))
    return String(names.length)
  }
  if (request === 2) return await fs.readlink(path)
  if (request === 3) {
    const buffer = new Uint8Array(64)
    const read = await fs.read(path, buffer, number < 128 ? number : 2 ** (number - 128))
    // Nothing is read but what this tree holds.
    const text = Buffer.from(buffer.subarray(0, read)).toString('latin1')
    if (path.includes(String(root)))
      assert.ok(
        ['contentcontent', 'leaf'].some((content) => content.includes(text)),
        text,
      )
    return String(read)
  }
  if (request === 4)
    return String(
      (await fs.getxattr(path, ['ipfs.cid', 'user.x', 'security.capability', 'ipfs.'][number % 4]!)) ===
        undefined,
    )
  return (await fs.listxattr(path)).join()
}

function rawLost(): CID {
  const other = new Dag()
  return other.raw('lost')
}
