// The life of a mount server: replace what is stale, mount, serve, unmount.
// It holds no lock while it serves, opens no database and survives the daemon.

import { rmSync } from 'node:fs'
import { readConfig } from '../config.ts'
import { PkgError } from '../errors.ts'
import { withLock } from '../files/lock.ts'
import { ensurePrefixEntry } from '../files/modes.ts'
import { namesThisProcess, readPidFile, writePidFile } from '../files/pid-file.ts'
import { type PrefixPaths, prefixPaths } from '../paths.ts'
import { requirePrefix } from '../store/prefix.ts'
import { physicalStore } from '../store/shown-target.ts'
import { BlockCache } from './block-cache.ts'
import { forgetTopName } from './forget-name.ts'
import { type FuseMount, mountFuse, prepareFuse } from './fuse.ts'
import { isConnected, takeOver, unmountUnused, untilDisconnected } from './hand-over.ts'
import { StoreFileSystem } from './handlers.ts'
import { hasMount, mountAt, mountState, mountsOf, requireUncovered, unmount } from './mountpoint.ts'
import { mountOptions } from './options.ts'
import { raiseReadAhead } from './read-ahead.ts'
import { Readers } from './readers.ts'
import { residentBytes, restWhenIdle } from './rest.ts'
import { softwareOf } from './software.ts'
import { listenForControl } from './status.ts'

/** How often we look whether somebody else took the mount away: nothing tells us. Milliseconds. */
const LOOK_MS = 1000

/**
 * Mounts the store of `prefix` and serves it until SIGTERM, SIGINT, a request on
 * the control socket, or somebody's umount ends it; then the process ends with 0.
 * Resolves when the mount is in place. `entry` is the file this process started at.
 * With `replace`, one that serves already has to give way. Throws EXISTS when a living
 * server serves it, BUSY when that one's mount is in use, NOT_FOUND without a prefix, MOUNT_FAILED, NO_FUSE.
 */
export async function serveMount(prefix: string, entry: string, { replace = false } = {}): Promise<void> {
  const paths = prefixPaths(prefix)
  requirePrefix(paths)
  const config = readConfig(paths)
  const software = softwareOf(entry)
  // Before another server gives way to this one.
  prepareFuse()
  const readers = new Readers(entry, paths)
  const cache = new BlockCache(readers, { bytes: config['mount.cacheBytes'] })
  const fs = new StoreFileSystem({
    paths,
    cache,
    sizes: readers,
    store: physicalStore(paths),
    onAbsent: forgetTopName,
  })
  // Two servers that start at once must not both find the place free.
  const mount = await withLock(paths.mountPid, async () => {
    await clearMountPoint(paths, replace)
    ensurePrefixEntry(paths.store)
    const made = await mountFuse(paths.store, mountOptions(), fs)
    writePidFile(paths.mountPid)
    return made
  })
  const readAheadKiB = raiseReadAhead(paths.store, config['mount.readAheadKiB'])
  const stop = stopper(paths, mountAt(paths.store)?.device)
  let handingOver = false
  const handOver = async () => {
    handingOver = true
    handingOver = await unmountUnused(paths.store)
    if (handingOver) rmSync(paths.mountPid, { force: true })
    return handingOver
  }
  const end = () => (handingOver ? process.exit(0) : stop())
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, end)
  await listenForControl(paths.mountSocket, {
    status: () => ({ ...describe(paths, mount, readers), software, readAheadKiB, ...fs.counts() }),
    stop: end,
    handOver,
    handedOver: () => void untilDisconnected().then(() => process.exit(0)),
  })
  restWhenIdle(
    () => fs.requests,
    () => {
      fs.rest()
      readers.rest()
    },
  )
  // Once it is handed over the place is another server's.
  setInterval(() => handingOver || hasMount(paths.store) || stop(), LOOK_MS)
}

async function clearMountPoint(paths: PrefixPaths, replace: boolean): Promise<void> {
  requireUncovered(paths)
  const state = mountState(paths)
  if (state === 'mounted' && replace) return await takeOver(paths)
  if (state === 'mounted') {
    throw new PkgError('EXISTS', `${paths.store} is served by process ${readPidFile(paths.mountPid)?.pid}`)
  }
  if (state === 'stale') await unmount(paths.store)
}

function describe({ store }: PrefixPaths, mount: FuseMount, readers: Readers): Record<string, unknown> {
  const { rss, heapTotal, heapUsed, external } = process.memoryUsage()
  return {
    pid: process.pid,
    mountpoint: store,
    uptime: Math.round(process.uptime()),
    memory: rss,
    // Of it: pages of Node's and libfuse's own files, which other processes share; and what is ours alone.
    ...residentBytes(),
    heap: heapUsed,
    heapTotal,
    external,
    readers: readers.count,
    threads: mount.threads,
    exactTimes: mount.exactTimes,
  }
}

/** `device`: the mount's, by which it is known also where its prefix was moved to. */
function stopper(paths: PrefixPaths, device: string | undefined): () => void {
  let stopping = false
  return () => {
    if (stopping) return
    stopping = true
    unmountAll(paths.store, device).then(
      () => {
        // Another server may have come already: then these are its own.
        if (namesThisProcess(paths.mountPid)) {
          for (const file of [paths.mountPid, paths.mountSocket]) rmSync(file, { force: true })
        }
        process.exit(0)
      },
      (error) => {
        console.error(error.message)
        stopping = false
      },
    )
  }
}

/**
 * A mount of ours elsewhere goes too: it came there with its prefix, or by a bind, and is dead
 * without this process. All are listed before the first goes, and only while the kernel is
 * connected to us: the number of a device that is gone is given to the next mount, anybody's.
 */
async function unmountAll(place: string, device: string | undefined): Promise<void> {
  const listed = device === undefined ? [] : mountsOf(device)
  if (!isConnected()) return
  await unmount(place)
  const elsewhere = listed.filter((one) => one !== place)
  for (const other of elsewhere) await unmount(other).catch((error) => console.error(error.message))
}
