// The mount against the same files on the file system below, cold and warm, and
// against squashfuse and Kubo's mount. Cold means: a server that was just started,
// and the kernel's caches dropped, which takes root.

import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fuseObstacle } from '../../src/mount/requirements.ts'
import { Store } from '../../src/store/store.ts'
import { MountedStore } from '../mount/mounted.ts'
import { dropCaches, inTurns, MAY_DROP_CACHES, median, outputOf, timeOfShell } from './measure.ts'
import { type MountPeer, mountPeers } from './mount-peers.ts'
import { bundled, launcher } from './product.ts'
import type { Row } from './table.ts'
import { type TreeName, tree } from './trees.ts'
import type { Work } from './work.ts'

type Workload = {
  title: string
  name: TreeName
  command: string
  limit: number
  cold: boolean
  rounds: number
  ahead?: readonly string[]
}

const WORKLOADS: Workload[] = [
  {
    title: 'warm read of 512 MiB',
    name: 'large',
    command: 'cat file',
    limit: 1.1,
    cold: false,
    rounds: 15,
  },
  {
    // Listing asks the server each time (kernel-caches.md): warm reads are measured with the names at hand.
    title: 'warm cat of 5,000 × 4 KiB',
    name: 'few',
    command: 'for d in $(seq 0 49); do seq -f d$d/f%g 0 99; done | xargs cat',
    limit: 1.1,
    cold: false,
    rounds: 15,
  },
  { title: 'cold read of 512 MiB', name: 'large', command: 'cat file', limit: 2, cold: true, rounds: 5 },
  {
    title: 'cold ls -lR of 20,000',
    name: 'small',
    command: 'ls -lR .',
    limit: 6,
    cold: true,
    rounds: 3,
    ahead: ['squashfuse'],
  },
  {
    title: 'cold cat of 20,000 × 4 KiB',
    name: 'small',
    command: 'cat */*',
    limit: 3,
    cold: true,
    rounds: 5,
    ahead: ['squashfuse'],
  },
]

/** A server that has run so long has all its threads. */
const SETTLE_MS = 2000
/** Kubo takes up to 20 s for a cold read. */
const PEER_ROUNDS = 2

/** No rows where mounting is not possible, and no cold ones without root; both are said. */
export async function benchMount(work: Work): Promise<Row[]> {
  const obstacle = fuseObstacle()
  if (obstacle) {
    console.log(`no rows for the mount: ${obstacle.detail}`)
    return []
  }
  if (!MAY_DROP_CACHES) console.log('no rows for cold reads: only root can drop what the kernel has cached')
  const mounted = openMount(work)
  const rows: Row[] = []
  for (const workload of WORKLOADS) {
    if (workload.cold && !MAY_DROP_CACHES) continue
    const row = await measure(workload, tree(work, workload.name), mounted)
    const peers: Record<string, number> = {}
    for (const peer of mountPeers(work)) {
      try {
        peers[peer.name] = await measurePeer(workload, peer)
      } catch (error) {
        // A peer may need what this machine lacks (Kubo: fusermount); our own rows do not depend on it.
        console.log(`${peer.name} is left out of "${workload.title}": ${(error as Error).message}`)
      }
    }
    rows.push({ ...row, peers })
  }
  return rows
}

type Mounted = { server: MountedStore; add(source: string): string }

function openMount(work: Work): Mounted {
  const prefix = join(work.directory, 'mounted')
  const store = Store.open(prefix)
  const server = new MountedStore(store, bundled(work, 'mount-server.js'))
  work.defer(async () => {
    await server.close()
    store.close()
  })
  const pkg = [launcher(work), '--prefix', prefix]
  return { server, add: (source) => outputOf([...pkg, 'store', 'add', source, '--quiet']).trim() }
}

async function measure(workload: Workload, source: string, { server, add }: Mounted): Promise<Row> {
  const { title, command, limit, cold, rounds, ahead } = workload
  const ours = server.path(add(source))
  const start = async () => {
    if (cold) await server.stop()
    if (server.server !== undefined) return
    await server.start()
    await delay(SETTLE_MS)
  }
  const time = async (place: string) => {
    if (cold) dropCaches()
    return timeOfShell(command, place)
  }
  if (!cold) {
    // Warm is the second time.
    await start()
    for (const place of [source, ours]) timeOfShell(command, place)
  }
  const before = cold ? 0 : await requests(server)
  const pairs = await inTurns(rounds, {
    ours: async () => {
      await start()
      return time(ours)
    },
    reference: () => time(source),
  })
  const note = cold ? {} : { note: `${(await requests(server)) - before} requests` }
  return { title, ...pairs, against: 'ext4', limit, ...(ahead && { ahead }), ...note }
}

async function requests(server: MountedStore): Promise<number> {
  return Object.values((await server.status()).requests).reduce((sum, count) => sum + count, 0)
}

async function measurePeer({ name, command, cold }: Workload, peer: MountPeer): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < PEER_ROUNDS; round++) {
    const { path, unmount } = await peer.mount(name)
    try {
      if (cold) dropCaches()
      else timeOfShell(command, path)
      times.push(timeOfShell(command, path))
    } finally {
      await unmount()
    }
  }
  return median(times)
}
