// What the mount does with one DAG, without the kernel: node test/fuzz/hostile-mount.ts
// <prefix> <cid>. Lists, asks for attributes, reads 128 KiB as the kernel does; the
// longest time for which nobody else would have been answered is printed.

import { setImmediate } from 'node:timers/promises'
import { isMainThread } from 'node:worker_threads'
import { readConfig } from '../../src/config.ts'
import { errnoOf } from '../../src/errors.ts'
import { BlockCache } from '../../src/mount/block-cache.ts'
import { StoreFileSystem } from '../../src/mount/handlers.ts'
import { serveReads } from '../../src/mount/reader-thread.ts'
import { Readers } from '../../src/mount/readers.ts'
import { prefixPaths } from '../../src/paths.ts'

/** Entries that are looked at. */
const MAX_VISITS = 500

if (!isMainThread) serveReads()
else await main(process.argv[2] as string, process.argv[3] as string)

async function main(prefix: string, cid: string): Promise<void> {
  const paths = prefixPaths(prefix)
  const readers = new Readers(import.meta.filename, paths)
  const fs = new StoreFileSystem({
    paths,
    cache: new BlockCache(readers, { bytes: readConfig(paths)['mount.cacheBytes'] }),
    sizes: readers,
  })
  let blocked = 0
  let watching = true
  const watch = (async () => {
    for (let last = performance.now(); watching; ) {
      await setImmediate()
      blocked = Math.max(blocked, performance.now() - last)
      last = performance.now()
    }
  })()
  const outcomes = new Set<string>()
  let budget = MAX_VISITS
  await visit(`/${cid}`, 0)
  watching = false
  await watch
  console.log(JSON.stringify({ blockedMs: Math.round(blocked), outcome: [...outcomes].sort().join(' ') }))
  process.exit()

  async function visit(path: string, depth: number): Promise<void> {
    if (budget-- <= 0) return
    try {
      const { mode, size } = await fs.getattr(path)
      const type = mode & 0o170000
      if (type === 0o120000) await fs.readlink(path)
      if (type === 0o100000) {
        const buffer = new Uint8Array(128 * 1024)
        for (const offset of [0, Math.floor(size / 2), Math.max(0, size - 1000)])
          await fs.read(path, buffer, offset)
      }
      if (type !== 0o040000) return
      const names = [...(await fs.readdir(path))]
      if (depth < 20)
        for (const { name } of names.slice(0, 50))
          await visit(`${path}/${name}`, depth + 1 + Math.floor(names.length / 3))
    } catch (error) {
      outcomes.add(String(errnoOf(error)))
    }
  }
}
