// The client of POST /v1/import (daemon/api/import.ts): CARs to the daemon, at this user's own
// socket, where the kernel has checked who asks. With `hold=1` the daemon protects
// what came, and the CAR's roots with all below them, as long as the connection is open.

import type { ClientRequest, IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { readConfig } from '../../config.ts'
import { hasCode, PkgError } from '../../errors.ts'
import type { PrefixPaths } from '../../paths.ts'
import { writeCar } from '../../store/car/write.ts'
import { type CID, parseCid } from '../../store/cid.ts'
import type { Upload, Uploader, UploadRequest } from '../../store/upload/uploader.ts'
import type { ImportLine } from '../api/import.ts'
import { refusal } from '../http.ts'
import { askAsUser, linesOf } from './user-request.ts'

/** How long to try while the daemon takes no more uploads, in ms, and the first pause, which is doubled. */
const BUSY_MS = 60_000
const PAUSE_MS = 100

/** The longest that a timer of Node's waits, in ms. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** Milliseconds for what the daemon says about a body that it stopped reading. */
const LAST_WORDS_MS = 1000

export type UploaderOptions = {
  signal?: AbortSignal | undefined
  /** bytes that the daemon has taken, and how many there are */
  onProgress?: ((progress: { bytes: number; totalBytes: number }) => void) | undefined
}

/** The way to the daemon of a prefix that this user may not write. */
export function createUploader(paths: PrefixPaths, options: UploaderOptions = {}): Uploader {
  return {
    async upload(request) {
      const first = await patiently(() => upload(paths, request, options), options.signal)
      const { roots } = request
      const again = () => upload(paths, { roots, blocks: () => [], bytes: 0 }, {})
      // Blocks without a root cannot be named again: those are linked at once, or not at all.
      return new HeldUpload(first, roots.length === 0 ? undefined : { again, everyMs: renewalMs(paths) })
    },
  }
}

/** The daemon ends what is held for too long: long before that we ask anew. */
function renewalMs(paths: PrefixPaths): number {
  return Math.min((readConfig(paths)['uploads.holdSeconds'] * 1000) / 2, MAX_TIMER_MS)
}

/** Repeats what the daemon was too busy for. */
async function patiently<T>(attempt: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const deadline = performance.now() + BUSY_MS
  for (let pause = PAUSE_MS; ; pause *= 2) {
    try {
      return await attempt()
    } catch (error) {
      if (!hasCode(error, 'BUSY') || performance.now() + pause > deadline) throw error
    }
    // Random, so that those who were refused together do not come again together.
    await delay(pause * (0.5 + Math.random()), undefined, { signal })
  }
}

async function upload(
  paths: PrefixPaths,
  request: UploadRequest,
  { signal, onProgress }: UploaderOptions,
): Promise<Held> {
  signal?.throwIfAborted()
  const connection = await askAsUser(paths, '/v1/import?hold=1', {
    'Content-Type': 'application/vnd.ipld.car; version=1',
  })
  const abort = () => connection.req.destroy()
  signal?.addEventListener('abort', abort, { once: true })
  try {
    const { req, response } = connection
    // Its head says whether the daemon takes the upload at all: before that nothing is sent.
    const res = await response
    const answer = readAnswer(res, (bytes) => onProgress?.({ bytes, totalBytes: request.bytes }))
    if (res.statusCode !== 200) await answer
    const sending = pipeline(Readable.from(writeCar(request.roots, request.blocks(), { signal })), req)
    // What the daemon says tells more than that it has stopped reading.
    const [{ complete }] = await Promise.all([
      answer,
      sending.catch((error) =>
        Promise.race([answer, delay(LAST_WORDS_MS)]).then(() => Promise.reject(error)),
      ),
    ])
    // Read on, or the end would not be seen.
    res.resume()
    return { req, whole: complete.map(parseCid) }
  } catch (error) {
    connection.req.destroy()
    signal?.throwIfAborted()
    if (error instanceof PkgError) throw error
    throw new PkgError('NO_DAEMON', `the daemon of ${paths.root} went away in the middle of an upload`, {
      hint: 'Try again; nothing was changed.',
      cause: error,
    })
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

type Done = ImportLine & { type: 'done' }

/** Bytes are read first and stored then: what counts is how far it has come. */
async function readAnswer(res: IncomingMessage, onTaken: (bytes: number) => void): Promise<Done> {
  let taken = 0
  for await (const text of linesOf(res)) {
    const line = JSON.parse(text) as ImportLine
    if (line.type === 'done') return line
    if (line.type !== 'progress') throw refusal(line)
    taken = Math.max(taken, line.bytes)
    onTaken(taken)
  }
  throw new Error('the answer ended early')
}

/** A connection that holds: as long as it is open the daemon protects what came through it. */
type Held = { req: ClientRequest; whole: readonly CID[] }

/** Those whose connection has ended, whoever ended it. */
const ended = new WeakSet<ClientRequest>()

/** Nothing more is said on the connection: its end is all that can come. */
function watch(req: ClientRequest): void {
  const end = () => void ended.add(req)
  if (req.destroyed) end()
  req.once('close', end)
  // Some turns of the event loop earlier.
  req.socket?.once('end', end).once('close', end)
}

type Renewal = { again: () => Promise<Held>; everyMs: number }

class HeldUpload implements Upload {
  readonly whole: readonly CID[]
  #req: ClientRequest
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor({ req, whole }: Held, renewal: Renewal | undefined) {
    this.whole = whole
    this.#req = req
    watch(req)
    if (renewal) this.#timer = setInterval(() => void this.#renew(renewal), renewal.everyMs).unref()
  }

  get lost(): boolean {
    return ended.has(this.#req)
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
    this.#req.destroy()
  }

  /** The new hold is there before the old one ends. Where it cannot be had, the end of the old one will show. */
  async #renew({ again }: Renewal): Promise<void> {
    const held = await again().catch(() => undefined)
    if (held === undefined) return
    const needless = this.#closed || this.lost ? held.req : this.#req
    if (needless === this.#req) {
      this.#req = held.req
      watch(held.req)
    }
    needless.destroy()
  }
}
