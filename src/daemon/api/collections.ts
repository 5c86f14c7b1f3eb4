// POST /v1/collect: a collection on behalf of a user, NDJSON the answer. One at a
// time, in a process of its own (daemon/collect/collector-process.ts): it walks and reads what
// users made, and the daemon has to answer meanwhile. Who asks while one runs is
// told how that one goes. It never has a policy: what generations go is for their
// owner to say.
//
// The answer holds figures only: paths and names in it would be those of others.

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { constants, setPriority } from 'node:os'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { entryPoint } from '../../entry.ts'
import { type ErrorCode, PkgError } from '../../errors.ts'
import { ownEnvironment } from '../../files/system-command.ts'
import type { PrefixPaths } from '../../paths.ts'
import type { CollectLine } from '../collect/collector-process.ts'
import { onDisk } from '../limits/quota.ts'
import type { Log } from '../log.ts'

/** Those who wait for one collection. */
const MAX_LISTENERS = 256

/** Milliseconds for a walk through all that one user has. */
const MEASURE_MS = 120_000

const run = promisify(execFile)

/** What a user may read of an error whose message names others' files. */
const SAID: Partial<Record<ErrorCode, string>> = {
  BUSY: 'another collection is running',
  NO_SPACE: 'the disk is too full for a collection',
  CORRUPT_BLOCK: 'a damaged block stopped the collection: the owner of the store can mend it',
}

export class Collections {
  readonly #paths: PrefixPaths
  readonly #log: Log
  readonly #listeners = new Set<ServerResponse>()
  #child: ChildProcess | undefined

  constructor(paths: PrefixPaths, log: Log) {
    this.#paths = paths
    this.#log = log
  }

  /** Begins a collection, or joins the one that runs; settles when the answer is complete. Throws BUSY. */
  async serve(res: ServerResponse, uid: number): Promise<void> {
    if (this.#listeners.size >= MAX_LISTENERS) {
      throw new PkgError('BUSY', 'too many wait for the collection already', { hint: 'Try again.' })
    }
    res.writeHead(200, { 'Content-Type': 'application/x-ndjson' }).flushHeaders()
    // Long steps say nothing for a while.
    res.setTimeout(0)
    this.#listeners.add(res)
    res.once('close', () => this.#listeners.delete(res))
    this.#child ??= this.#start(uid)
    if (!res.closed) await once(res, 'close')
  }

  /** What the roots of this user reach, as quotas count it, by a walk in a process of its own. */
  async measure(uid: number): Promise<number> {
    const args = [entryPoint('collector'), '--prefix', this.#paths.root, '--measure', String(uid)]
    const { stdout } = await run(process.execPath, args, {
      cwd: '/',
      env: ownEnvironment(),
      timeout: MEASURE_MS,
    })
    const line = JSON.parse(stdout) as CollectLine
    if (line.type === 'error') throw new PkgError(line.code, line.message)
    return line.type === 'done' ? onDisk(line) : 0
  }

  close(): void {
    this.#child?.kill('SIGTERM')
  }

  #start(uid: number): ChildProcess {
    this.#log(`collection for uid ${uid}`)
    const child = spawn(process.execPath, [entryPoint('collector'), '--prefix', this.#paths.root], {
      cwd: '/',
      env: ownEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    // Anybody may ask for one after the other: it gives way to what people do.
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL)
    let last: CollectLine | undefined
    let wrong = ''
    child.once('error', (error) => {
      wrong = error.message
    })
    // Where there are no file descriptors left it has no streams.
    if (child.stdout) {
      createInterface({ input: child.stdout }).on('line', (text) => {
        const line = JSON.parse(text) as CollectLine
        if (line.type === 'progress') this.#tell(line)
        // A collection of this kind has no policy, and others' paths are not for whoever asked.
        else if (line.type !== 'generation') last = line
      })
    }
    child.stderr?.on('data', (data) => {
      wrong = `${wrong}${data}`.slice(-2000)
    })
    child.once('close', (status) => {
      this.#child = undefined
      this.#end(last ?? { type: 'error', code: 'INTERNAL', message: wrong || `exit status ${status}` })
    })
    return child
  }

  #end(line: CollectLine): void {
    if (line.type === 'error') this.#log(`collection: ${line.code}: ${line.message}`)
    this.#tell(line.type === 'error' ? withoutNames(line) : line)
    for (const res of this.#listeners) res.end()
    this.#listeners.clear()
  }

  /** Whoever does not read gets no progress, and so no memory; the last line is one. */
  #tell(line: CollectLine): void {
    for (const res of this.#listeners) {
      if (line.type !== 'progress' || !res.writableNeedDrain) res.write(`${JSON.stringify(line)}\n`)
    }
  }
}

function withoutNames({ type, code }: CollectLine & { type: 'error' }): CollectLine {
  const message = SAID[code] ?? 'the collection failed: the log of the store says why'
  return { type, code, message }
}
