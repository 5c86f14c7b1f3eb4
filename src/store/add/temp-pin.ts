// Temp pins: what a living process is adding or about to link right now.
//
// A temp pin is a file `pins/temp/<pid>-<start>-<nonce>`: a header line and then
// one line a record, appended before the process looks whether the block is
// there. A collector reads all of them under the lock right before each batch of
// deletes, so a record that is in the file when the process finds a block
// present either was seen by the collector, or the block is gone and the process
// sees that (writer.ts has the other half of this argument).
//
// A pid alone is a weak name: it is used again, and means another process in
// another pid namespace. So the name carries the start time, the header the boot
// and the namespace; what we cannot judge counts as alive. A file that a kill left
// without its header is judged by its name alone, once it is older than any process
// needs to write one. What is not named like a temp pin, or is no file, is none.

import { randomBytes } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno } from '../../errors.ts'
import { writeAll } from '../../files/atomic.ts'
import { openPrefixFile } from '../../files/modes.ts'
import { bootId, lifeOf, pidNamespace, processStart } from '../../files/process-id.ts'
import type { PrefixPaths } from '../../paths.ts'
import { type BlockKey, type CID, keyOfMultihash, tryParseCid } from '../cid.ts'

const FORMAT = 'temp-pin 1'

/** pid, start time, nonce */
const NAME = /^(\d+)-([^-]+)-[0-9a-f]+$/

/** A file whose header is not there after this long, in ms, waits for nobody: writing it takes moments. */
const HEADER_MS = 60_000

export class TempPin {
  readonly file: string
  readonly #fd: number
  #closed = false
  /** a record was written in part: what comes next begins a line of its own */
  #torn = false

  /**
   * Makes the file; `pins/temp` must exist. Or goes on with one that another
   * thread of this process made: records of both are appended whole.
   */
  constructor(paths: Pick<PrefixPaths, 'tempPins'>, made?: string) {
    const name = `${process.pid}-${processStart(process.pid)}-${randomBytes(6).toString('hex')}`
    this.file = made ?? join(paths.tempPins, name)
    this.#fd = openPrefixFile(this.file, made === undefined ? 'ax' : 'a')
    if (made !== undefined) return
    try {
      this.#append(`${FORMAT} ${bootId()} ${pidNamespace()}\n`)
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Protects these blocks, by multihash, from the moment it returns. Gives the records, for `settle`. */
  addBlocks(multihashes: readonly Uint8Array[]): string {
    let text = ''
    for (const multihash of multihashes) {
      text += `block ${Buffer.from(multihash.buffer, multihash.byteOffset, multihash.byteLength).toString('base64url')}\n`
    }
    this.#append(text)
    return text
  }

  /** Protects all that is reachable from `cid` from the moment it returns. Gives the record, for `settle`. */
  addDag(cid: CID): string {
    const text = `dag ${cid}\n`
    this.#append(text)
    return text
  }

  /** Ends the protection. Call it after the link that keeps the content was written. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    closeSync(this.#fd)
    removeTempPin(this.file)
  }

  #append(text: string): void {
    const bytes = Buffer.from(this.#torn ? `\n${text}` : text, 'latin1')
    this.#torn = true
    writeAll(this.#fd, bytes)
    this.#torn = false
  }
}

export type ReadTempPin = {
  file: string
  pid: number
  /** false only when its process is surely gone */
  alive: boolean
  blocks: BlockKey[]
  dags: CID[]
}

/** How far each temp pin was read, in bytes, and its header, by its file's name; names are never used again. */
export type TempPinProgress = Map<string, { read: number; header: string[] }>

/**
 * All temp pins, in full, or with `progress` (which is then updated) only what
 * was appended since: a collector asks before every batch, and the temp pin of a
 * large import is large. A last line without its end is a record whose write has
 * not returned: left out until it has.
 */
export function readTempPins(
  paths: Pick<PrefixPaths, 'tempPins'>,
  progress: TempPinProgress = new Map(),
): ReadTempPin[] {
  const pins: ReadTempPin[] = []
  for (const name of readdirSync(paths.tempPins)) {
    if (!NAME.test(name)) continue
    const file = join(paths.tempPins, name)
    const { read, header } = progress.get(name) ?? { read: 0, header: [] }
    const found = readFrom(file, read)
    if (found === undefined) continue
    const { text, ageMs } = found
    const lines = text.split('\n')
    lines.pop()
    if (read === 0) header.push(...(lines.shift()?.split(' ') ?? []))
    progress.set(name, { read: read + text.length, header })
    pins.push(parse(file, { name, header, lines, ageMs }))
  }
  return pins
}

/** The whole lines behind `from`, a character a byte; undefined when it is closed since the listing, or no file. */
function readFrom(file: string, from: number): { text: string; ageMs: number } | undefined {
  let fd: number
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    // Closed: its link is written by now. A link, a socket: nobody's temp pin.
    if (isErrno(error, 'ENOENT', 'ELOOP', 'ENXIO', 'ENODEV')) return undefined
    throw error
  }
  try {
    const stats = fstatSync(fd)
    if (!stats.isFile()) return undefined
    const buffer = Buffer.allocUnsafe(Math.max(0, stats.size - from))
    const text = buffer.toString('latin1', 0, readSync(fd, buffer, 0, buffer.length, from))
    return { text: text.slice(0, text.lastIndexOf('\n') + 1), ageMs: Date.now() - stats.mtimeMs }
  } finally {
    closeSync(fd)
  }
}

/** Removes a temp pin of a dead process. */
export function removeTempPin(file: string): void {
  try {
    unlinkSync(file)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}

type Read = { name: string; header: readonly string[]; lines: readonly string[]; ageMs: number }

function parse(file: string, { name, header, lines, ageMs }: Read): ReadTempPin {
  const [, pid, start] = NAME.exec(name) as unknown as [string, string, string]
  const alive = isAlive(Number(pid), start, { boot: header[2], namespace: header[3], ageMs })
  return { file, pid: Number(pid), alive, ...parseRecords(lines) }
}

/** What records protect; lines that are none are passed over. */
export function parseRecords(lines: readonly string[]): { blocks: BlockKey[]; dags: CID[] } {
  const found = { blocks: [] as BlockKey[], dags: [] as CID[] }
  for (const line of lines) {
    const value = line.slice(line.indexOf(' ') + 1)
    if (line.startsWith('block ')) found.blocks.push(keyOfMultihash(Buffer.from(value, 'base64url')))
    const cid = line.startsWith('dag ') ? tryParseCid(value) : undefined
    if (cid) found.dags.push(cid)
  }
  return found
}

type Life = { boot: string | undefined; namespace: string | undefined; ageMs: number }

function isAlive(pid: number, start: string, { boot, namespace, ageMs }: Life): boolean {
  const headless = boot === undefined
  // Without a header its process has made it just now, maybe in another namespace.
  if (headless && ageMs < HEADER_MS) return true
  return lifeOf({ pid, start, boot: boot ?? bootId(), namespace: namespace ?? pidNamespace() }) !== 'gone'
}
