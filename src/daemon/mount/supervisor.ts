// Keeps the mount server running: adopts a living one, starts a missing one,
// starts a dead one again, and takes its stale mount away. The mount server is
// always our child, since it outlives daemons: it is looked at through its pid
// file, which works for an adopted one and for our own alike. One that should be
// renewed (renewal.ts) is replaced when nobody uses the mount.

import { setTimeout as delay } from 'node:timers/promises'
import { codeOf, type ErrorCode, hasCode } from '../../errors.ts'
import { type ProcessId, runningProcess } from '../../files/pid-file.ts'
import { modeInForce, storeMode } from '../../mount/mode.ts'
import { requireUncovered } from '../../mount/mountpoint.ts'
import type { PrefixPaths } from '../../paths.ts'
import type { Log } from '../log.ts'
import { servingProcess, startMountServer, stopMountServer } from './mount-process.ts'
import { reasonToRenew } from './renewal.ts'

/** Milliseconds between two looks: with a start of 200 a dead server is replaced within the second. */
const LOOK_MS = 300

/** Pause after a failed start, doubled up to the maximum: somebody may be mending the machine meanwhile. */
const RETRY_MS = 250
const MAX_RETRY_MS = 2000

/** A living server that has no mount is given this long to get it, or to end. */
const PATIENCE_MS = 15_000

/** Where nothing is to be mounted: how often to look whether that has changed. */
const IDLE_MS = 5000

/** Milliseconds between two looks whether the server should be renewed. */
const RENEW_MS = 60_000

export type MountStatus = {
  /** `off`: programs see the store as checkouts (mount/mode.ts) */
  state: 'starting' | 'mounted' | 'failed' | 'stopped' | 'off'
  pid?: number
  /** true when the server was there before this daemon */
  adopted?: boolean
  /** how often the server had to be started again */
  restarts: number
  /** why the last start failed, and when (ISO 8601) */
  error?: { code: ErrorCode; message: string; hint?: string; time: string }
}

export class MountSupervisor {
  readonly #paths: PrefixPaths
  readonly #log: Log
  readonly #stop = new AbortController()
  #status: MountStatus = { state: 'starting', restarts: 0 }
  #server: ProcessId | undefined
  #wake = new AbortController()
  #running: Promise<void> | undefined
  readonly #renewMs: number
  #renewAt = 0

  constructor(paths: PrefixPaths, log: Log, { renewMs = RENEW_MS } = {}) {
    this.#paths = paths
    this.#log = log
    this.#renewMs = renewMs
  }

  get status(): MountStatus {
    return this.#status
  }

  /** Begins; returns at once. `status` tells how it goes. */
  start(): void {
    this.#running ??= this.#run()
  }

  /** Ends the supervision, and with `unmount` the mount server too; returns when both are done. */
  async close({ unmount }: { unmount: boolean }): Promise<void> {
    this.#stop.abort()
    await this.#running
    if (unmount) await stopMountServer(this.#paths)
    this.#status = { ...this.#status, state: 'stopped' }
  }

  async #run(): Promise<void> {
    for (let retry = RETRY_MS; !this.#stop.signal.aborted; ) {
      try {
        const on = storeMode(this.#paths) === 'mount'
        if (on) await this.#ensure()
        else this.#off()
        retry = RETRY_MS
        await this.#pause(on ? LOOK_MS : IDLE_MS)
      } catch (error) {
        if (this.#stop.signal.aborted) return
        this.#failed(error)
        await this.#pause(retry)
        retry = Math.min(retry * 2, MAX_RETRY_MS)
      }
    }
  }

  /** One look, and what follows from it. */
  async #ensure(): Promise<void> {
    // A server that is hidden only lives on: its programs run.
    requireUncovered(this.#paths, 'MOUNT_FAILED')
    const serving = servingProcess(this.#paths) ?? (await this.#awaited())
    if (serving) {
      if (serving.pid !== this.#server?.pid) this.#mounted(serving, { adopted: true })
      return await this.#renew(serving)
    }
    const restarts = this.#status.restarts + (this.#server ? 1 : 0)
    if (this.#server) this.#log(`the mount server (pid ${this.#server.pid}) is gone: starting another`)
    this.#server = undefined
    this.#status = { ...this.#status, state: 'starting', restarts }
    const { server, exit } = await startMountServer(this.#paths, { signal: this.#stop.signal })
    void exit?.then(() => this.#wake.abort())
    this.#mounted(server, { adopted: exit === undefined })
  }

  /** From time to time: a server that should be another one becomes it, unless the mount is in use. */
  async #renew(serving: ProcessId): Promise<void> {
    if (performance.now() < this.#renewAt) return
    this.#renewAt = performance.now() + this.#renewMs
    const reason = await reasonToRenew(this.#paths)
    if (reason === undefined) return
    const { server, exit } = await startMountServer(this.#paths, {
      signal: this.#stop.signal,
      replace: true,
    })
    if (server.pid === serving.pid) return
    void exit?.then(() => this.#wake.abort())
    this.#log(`replaced the mount server (pid ${serving.pid}): ${reason}`)
    this.#mounted(server, { adopted: false })
  }

  /** A server that lives but does not serve is still starting, or ending: what became of it. */
  async #awaited(): Promise<ProcessId | undefined> {
    for (const deadline = performance.now() + PATIENCE_MS; runningProcess(this.#paths.mountPid); ) {
      const serving = servingProcess(this.#paths)
      if (serving) return serving
      if (performance.now() >= deadline) {
        this.#log('the mount server lives and does not serve: ending it')
        await stopMountServer(this.#paths)
        return undefined
      }
      await delay(LOOK_MS / 10, undefined, { signal: this.#stop.signal })
    }
    return undefined
  }

  #off(): void {
    if (this.#status.state === 'off') return
    this.#server = undefined
    this.#status = { state: 'off', restarts: this.#status.restarts }
    this.#log(`no mount: ${modeInForce(this.#paths).why}; programs run from checkouts`)
  }

  #mounted(server: ProcessId, { adopted }: { adopted: boolean }): void {
    this.#server = server
    this.#status = { state: 'mounted', pid: server.pid, adopted, restarts: this.#status.restarts }
    this.#log(
      `${adopted ? 'adopted' : 'started'} the mount server (pid ${server.pid}) of ${this.#paths.store}`,
    )
  }

  #failed(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    const hint = hasCode(error, 'NO_FUSE', 'MOUNT_FAILED') ? error.hint : undefined
    if (message !== this.#status.error?.message) this.#log(`no mount: ${message}`)
    this.#server = undefined
    const { restarts } = this.#status
    const time = new Date().toISOString()
    this.#status = {
      state: 'failed',
      restarts,
      error: { code: codeOf(error), message, ...(hint && { hint }), time },
    }
  }

  /** A server of our own that ends cuts the pause short. */
  async #pause(ms: number): Promise<void> {
    const signal = AbortSignal.any([this.#stop.signal, this.#wake.signal])
    await delay(ms, undefined, { signal }).catch(() => {})
    if (this.#wake.signal.aborted) this.#wake = new AbortController()
  }
}
