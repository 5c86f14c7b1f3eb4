// The daemon's own collections: it looks at the free space and the clock now and
// then, and has a process of its own collect, with the least priority, so that the
// daemon answers meanwhile. The collector's lock sees to it that there is one at a time.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { statfsSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { formatBytes } from '../../amounts.ts'
import { type LastCollection, lastCollection } from '../../collector/last-collection.ts'
import { readConfig } from '../../config.ts'
import { entryPoint } from '../../entry.ts'
import { hasCode } from '../../errors.ts'
import { ownEnvironment } from '../../files/system-command.ts'
import type { PrefixPaths } from '../../paths.ts'
import type { Log } from '../log.ts'
import type { CollectLine, DeletedGeneration } from './collector-process.ts'
import { describeTriggers, dueCollection, type Occasion } from './when-to-collect.ts'

/** Looks that are passed over after a collection that did not help: another one at once would not either. */
const PAUSE_LOOKS = 10

/** Seconds to the next look where the settings cannot be read. */
const RETRY_S = 60

export type CollectionStatus = {
  /** when it collects by itself, in words */
  when: string
  /** why one runs now */
  running?: string
  last?: LastCollection
  /** why the last one of the daemon's own failed, and when (ISO 8601) */
  error?: { message: string; time: string }
}

export class AutoCollector {
  readonly #paths: PrefixPaths
  readonly #log: Log
  readonly #stop = new AbortController()
  #child: ChildProcess | undefined
  #running: string | undefined
  #error: CollectionStatus['error']
  /** the error is one of the settings, which may be mended meanwhile */
  #wrongSettings = false
  #pause = 0

  constructor(paths: PrefixPaths, log: Log) {
    this.#paths = paths
    this.#log = log
  }

  /** Begins to look; returns at once. */
  start(): void {
    void this.#run()
  }

  get status(): CollectionStatus {
    if (this.#wrongSettings && this.#settingsAreRight()) this.#error = undefined
    const last = lastCollection(this.#paths)
    return {
      when: this.#when(),
      ...(this.#running !== undefined && { running: this.#running }),
      ...(last && { last }),
      ...(this.#error && { error: this.#error }),
    }
  }

  /** A collection that runs is ended in order, as by Ctrl-C. */
  close(): void {
    this.#stop.abort()
    this.#child?.kill('SIGTERM')
  }

  async #run(): Promise<void> {
    for (;;) {
      await delay(this.#seconds() * 1000, undefined, { signal: this.#stop.signal, ref: false }).catch(
        () => {},
      )
      if (this.#stop.signal.aborted) return
      try {
        await this.#look()
      } catch (error) {
        this.#failed(error instanceof Error ? error.message : String(error))
        this.#wrongSettings = hasCode(error, 'USAGE')
      }
    }
  }

  /** Read each time, as all settings here: one that is changed needs no new daemon. */
  #seconds(): number {
    try {
      return readConfig(this.#paths)['gc.checkSeconds']
    } catch {
      return RETRY_S
    }
  }

  async #look(): Promise<void> {
    const due = this.#due()
    if (due === undefined) {
      this.#pause = 0
      return
    }
    if (this.#pause > 0) {
      this.#pause -= 1
      return
    }
    this.#log(`collecting: ${due.why}`)
    this.#running = due.why
    const line = await this.#collect(due).finally(() => {
      this.#running = undefined
    })
    if (line.type === 'done') {
      this.#error = undefined
      const free = formatBytes(freeSpace(this.#paths).freeBytes)
      this.#log(`collected ${describeFigures(line)}; ${free} are free`)
    } else if (line.type === 'error' && !this.#stop.signal.aborted) this.#failed(line.message)
    if (this.#due() !== undefined) this.#pause = PAUSE_LOOKS
  }

  #due(): Occasion | undefined {
    const last = lastCollection(this.#paths)
    return dueCollection(readConfig(this.#paths), {
      ...freeSpace(this.#paths),
      now: Date.now(),
      // One that left something, because as much as was wanted is free, is not what the timer waits for.
      lastMs: last?.stopped === undefined ? last?.ended.getTime() : undefined,
    })
  }

  async #collect({ policy, options }: Occasion): Promise<CollectLine> {
    const words = ['--prefix', this.#paths.root, '--options', JSON.stringify({ ...options, policy })]
    const child = spawn(process.execPath, [entryPoint('collector'), ...words], {
      cwd: '/',
      env: ownEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    let last: CollectLine | undefined
    let wrong = ''
    child.once('error', (error) => {
      wrong = error.message
    })
    // Where there are no file descriptors left it has no streams.
    child.stderr?.on('data', (data) => {
      wrong = `${wrong}${data}`.slice(-2000)
    })
    if (child.stdout) {
      createInterface({ input: child.stdout }).on('line', (text) => {
        const line = JSON.parse(text) as CollectLine
        // At once: the link is gone, however the collection ends.
        if (line.type === 'generation') this.#log(describeGeneration(line))
        else last = line
      })
    }
    // ioprio_set(2): the disk's scheduler goes by it as well.
    if (child.pid !== undefined) calm(child.pid)
    const [status] = await once(child, 'close').catch(() => [wrong])
    this.#child = undefined
    return last ?? { type: 'error', code: 'INTERNAL', message: wrong || `exit status ${status}` }
  }

  #failed(message: string): void {
    if (message !== this.#error?.message) this.#log(`no collection: ${message}`)
    this.#wrongSettings = false
    this.#error = { message, time: new Date().toISOString() }
  }

  #settingsAreRight(): boolean {
    try {
      readConfig(this.#paths)
      return true
    } catch {
      return false
    }
  }

  #when(): string {
    try {
      return describeTriggers(readConfig(this.#paths))
    } catch (error) {
      return `not known: ${(error as Error).message}`
    }
  }
}

function describeFigures(line: CollectLine & { type: 'done' }): string {
  const { blocks, diskBytes, young, checkouts = 0, checkoutDiskBytes = 0 } = line
  const trees = checkouts > 0 ? `, ${checkouts} checkouts, ${formatBytes(checkoutDiskBytes)}` : ''
  return `${blocks} blocks, ${formatBytes(diskBytes)}${trees}${young > 0 ? `, and left ${young} too young ones` : ''}`
}

/** With the CID: as long as its blocks are there, it is the way back. */
function describeGeneration({ profile, number, cid, created }: DeletedGeneration): string {
  return `deleted generation ${number} of ${profile}, made ${created}: ${cid}`
}

function calm(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW)
  } catch {
    // It has ended already.
  }
}

function freeSpace({ blocks }: Pick<PrefixPaths, 'blocks'>): { freeBytes: number; totalBytes: number } {
  const { bavail, blocks: all, bsize } = statfsSync(blocks)
  return { freeBytes: bavail * bsize, totalBytes: all * bsize }
}
