// The peers' mounts of the same trees, each by a server of its own that is gone afterwards.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseMountinfo } from '../../src/mount/mountpoint.ts'
import { outputOf } from './measure.ts'
import { inPath, kubo } from './peers.ts'
import { type TreeName, tree } from './trees.ts'
import type { Work } from './work.ts'

export type MountPeer = {
  name: string
  /** Starts a server; `path` is where the tree's top lies. */
  mount(name: TreeName): Promise<{ path: string; unmount(): Promise<void> }>
}

const START_MS = 20_000

/** Those that are here. */
export function mountPeers(work: Work): MountPeer[] {
  const ipfs = kubo()
  return [
    ...(inPath('squashfuse') && inPath('mksquashfs') ? [squashfuse(work)] : []),
    ...(ipfs ? [kuboMount(work, ipfs)] : []),
  ]
}

function squashfuse(work: Work): MountPeer {
  return {
    name: 'squashfuse',
    async mount(name) {
      const image = join(work.directory, `${name}.squashfs`)
      // Large blocks, and nothing to decompress: its best case.
      const options = ['-quiet', '-no-progress', '-comp', 'zstd', '-b', '1M']
      if (!existsSync(image)) outputOf(['mksquashfs', tree(work, name), image, ...options])
      const path = work.folder(`${name}.squashfuse`)
      outputOf(['squashfuse', image, path])
      const away = async () => unmount(path)
      work.defer(away)
      return { path, unmount: away }
    },
  }
}

function kuboMount(work: Work, ipfs: string): MountPeer {
  const repo = join(work.directory, 'kubo')
  const points = {
    IPFS: work.folder('kubo-ipfs'),
    IPNS: work.folder('kubo-ipns'),
    MFS: work.folder('kubo-mfs'),
  }
  const env = { ...process.env, IPFS_PATH: repo }
  const run = (...words: string[]) => outputOf([ipfs, ...words], { env }).trim()
  return {
    name: 'kubo',
    async mount(name) {
      if (!existsSync(repo)) {
        run('init', '--empty-repo', '--profile=test')
        // It mounts only online: without addresses, peers and routing it is alone all the same.
        run('config', '--json', 'Addresses.Swarm', '[]')
        run('config', 'Routing.Type', 'none')
        for (const [kind, path] of Object.entries(points)) run('config', `Mounts.${kind}`, path)
      }
      const cid = run('add', '-r', '-Q', '--cid-version=1', '--chunker=size-1048576', tree(work, name))
      const daemon = spawn(ipfs, ['daemon', '--mount'], { env, stdio: 'ignore' })
      const away = () => endDaemon(daemon, Object.values(points))
      work.defer(away)
      const path = join(points.IPFS, cid)
      for (const deadline = Date.now() + START_MS; !isMounted(points.IPFS); await delay(50)) {
        if (daemon.exitCode !== null || Date.now() > deadline) throw new Error('Kubo does not mount')
      }
      return { path, unmount: away }
    },
  }
}

async function endDaemon(daemon: ChildProcess, points: string[]): Promise<void> {
  if (daemon.exitCode === null && daemon.signalCode === null) {
    daemon.kill()
    await once(daemon, 'exit')
  }
  for (const path of points) unmount(path)
}

function isMounted(path: string): boolean {
  return parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8')).some(
    ({ mountpoint }) => mountpoint === path,
  )
}

function unmount(path: string): void {
  if (isMounted(path)) outputOf(['umount', '-l', path])
}
