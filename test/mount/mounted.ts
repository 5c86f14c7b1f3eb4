// A store that is mounted by a server process of its own, and unmounted when the
// test ends, also when it fails. A test process may read the mount synchronously:
// the server is another process.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { socketPath } from '../../src/files/socket.ts'
import { mountServerCommand } from '../../src/mount/launch.ts'
import { mountAt, unmount } from '../../src/mount/mountpoint.ts'
import { fuseObstacle } from '../../src/mount/requirements.ts'
import type { CID } from '../../src/store/cid.ts'
import type { Store } from '../../src/store/store.ts'
import type { Dag } from '../fixtures/dag.ts'
import { putDag, temporaryStore } from '../helpers/store.ts'

/** Why mounting cannot be tested here, for a test's `skip`; false when it can. */
export const NO_MOUNT = fuseObstacle()?.detail ?? false

const START_MS = 20_000

export type Counts = {
  requests: Record<string, number>
  cache: Record<string, number>
  pid: number
  threads: number
}

export class MountedStore {
  readonly store: Store
  readonly #entry: string | undefined
  server: ChildProcess | undefined

  /** `entry` is another form of the server's program, the bundle's say. */
  constructor(store: Store, entry?: string) {
    this.store = store
    this.#entry = entry
  }

  /** A path in the mount. */
  path(root: CID | string, ...rest: string[]): string {
    return join(this.store.paths.store, String(root), ...rest)
  }

  put(dag: Dag): Promise<void> {
    return putDag(this.store, dag)
  }

  async start(): Promise<void> {
    const server = spawnServer(this.store, this.#entry)
    this.server = server
    const errors: Buffer[] = []
    server.stderr?.on('data', (data) => errors.push(data))
    for (const deadline = Date.now() + START_MS; ; await delay(20)) {
      if (server.exitCode !== null) throw new Error(`the server ended: ${Buffer.concat(errors)}`)
      if (await this.status().catch(() => undefined)) return
      if (Date.now() > deadline) throw new Error(`the server does not start: ${Buffer.concat(errors)}`)
    }
  }

  status(): Promise<Counts> {
    return ask(this.store.paths.mountSocket, 'GET', '/status') as Promise<Counts>
  }

  /** Ends the server, by SIGTERM unless told otherwise, and waits; gives its exit status, or the signal's name. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string | undefined> {
    const { server } = this
    this.server = undefined
    if (server === undefined) return undefined
    if (server.exitCode === null && server.signalCode === null) {
      server.kill(signal)
      await once(server, 'exit')
    }
    return server.exitCode ?? server.signalCode ?? undefined
  }

  async close(): Promise<void> {
    if (mountAt(this.store.paths.store)) await unmount(this.store.paths.store)
    await this.stop('SIGKILL')
  }
}

/** An empty store, mounted. `settings` become its config.json. */
export async function mountedStore(
  t: TestContext,
  settings: Record<string, number> = {},
): Promise<MountedStore> {
  let mounted: MountedStore | undefined
  // Hooks run in this order, and the folder must not be removed with the mount in it.
  t.after(() => mounted?.close())
  mounted = new MountedStore(await temporaryStore(t))
  writeFileSync(mounted.store.paths.config, JSON.stringify(settings))
  await mounted.start()
  return mounted
}

export function spawnServer(store: Store, entry?: string): ChildProcess {
  const { command, args, env } = mountServerCommand(store.paths, entry)
  return spawn(command, args, {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
}

export function ask(socket: string, method: string, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: socketPath(socket), method, path, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString())))
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.end()
  })
}

/** The errno name that `fn` fails with; undefined when it does not fail. */
export function errnoName(fn: () => unknown): string | undefined {
  try {
    fn()
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  }
  return undefined
}
