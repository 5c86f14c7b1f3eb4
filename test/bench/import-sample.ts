// One measurement of an import, in a process of its own: prints milliseconds.
//
//   node import-sample.ts ours|bare|flushed TREE DIRECTORY PRODUCT

import { spawnSync } from 'node:child_process'
import { hash } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readdirSync, readSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type * as Library from '../../src/index.ts'

const CHUNK_BYTES = 1024 * 1024

/** The import as such, from the library that is shipped: no durability barrier. */
async function ours(source: string, prefix: string, product: string): Promise<number> {
  const { importTree, Store, withAdd } = (await import(pathToFileURL(product).href)) as typeof Library
  const store = Store.open(prefix)
  const began = performance.now()
  return withAdd(store, async (add) => {
    await importTree(add, source)
    return performance.now() - began
  }).finally(() => store.close())
}

/** sha2-256 of each chunk, and one file a chunk: no less can be done. */
function bare(source: string, to: string, flush: boolean): number {
  for (let shard = 0; shard < 1024; shard++) mkdirSync(join(to, shard.toString(36)))
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  const began = performance.now()
  const add = (directory: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name)
      if (entry.isDirectory()) add(path)
      else addFile(path)
    }
  }
  const addFile = (path: string): void => {
    const fd = openSync(path, 'r')
    for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer)) {
      const chunk = buffer.subarray(0, count)
      const name = hash('sha256', chunk)
      writeFileSync(join(to, (Number.parseInt(name.slice(0, 4), 16) % 1024).toString(36), name), chunk)
    }
    closeSync(fd)
  }
  add(source)
  if (flush) spawnSync('sync', ['-f', to])
  return performance.now() - began
}

const [kind, source = '', to = '', product = ''] = process.argv.slice(2)
console.log(kind === 'ours' ? await ours(source, to, product) : bare(source, to, kind === 'flushed'))
