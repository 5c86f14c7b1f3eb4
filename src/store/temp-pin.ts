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
// and the namespace; what we cannot judge counts as alive.

import { randomBytes } from 'node:crypto'
import { closeSync, fstatSync, openSync, readdirSync, readSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno } from '../errors.ts'
import { writeAll } from '../files/atomic.ts'
import { bootId, pidNamespace, processStart } from '../files/process-id.ts'
import type { PrefixPaths } from '../paths.ts'
import { type BlockKey, type CID, keyOfMultihash, tryParseCid } from './cid.ts'

const FORMAT = 'temp-pin 1'

export class TempPin {
  readonly file: string
  readonly #fd: number
  #closed = false

  /**
   * Makes the file; `pins/temp` must exist. Or goes on with one that another
   * thread of this process made: records of both are appended whole.
   */
  constructor(paths: Pick<PrefixPaths, 'tempPins'>, made?: string) {
    const name = `${process.pid}-${processStart(process.pid)}-${randomBytes(6).toString('hex')}`
    this.file = made ?? join(paths.tempPins, name)
    this.#fd = openSync(this.file, made === undefined ? 'ax' : 'a', 0o644)
    if (made === undefined) this.#append(`${FORMAT} ${bootId()} ${pidNamespace()}\n`)
  }

  /** Protects these blocks, by multihash, from the moment it returns. */
  addBlocks(multihashes: readonly Uint8Array[]): void {
    let text = ''
    for (const multihash of multihashes) {
      text += `block ${Buffer.from(multihash.buffer, multihash.byteOffset, multihash.byteLength).toString('base64url')}\n`
    }
    this.#append(text)
  }

  /** Protects all that is reachable from `cid` from the moment it returns. */
  addDag(cid: CID): void {
    this.#append(`dag ${cid}\n`)
  }

  /** Ends the protection. Call it after the link that keeps the content was written. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    closeSync(this.#fd)
    removeTempPin(this.file)
  }

  #append(text: string): void {
    writeAll(this.#fd, Buffer.from(text, 'latin1'))
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
    const file = join(paths.tempPins, name)
    const { read, header } = progress.get(name) ?? { read: 0, header: [] }
    let text: string
    try {
      text = readFrom(file, read)
    } catch (error) {
      // Closed since the listing: its link is written by now.
      if (isErrno(error, 'ENOENT')) continue
      throw error
    }
    const lines = text.split('\n')
    lines.pop()
    if (read === 0) header.push(...(lines.shift()?.split(' ') ?? []))
    progress.set(name, { read: read + text.length, header })
    pins.push(parse(file, { name, header, lines }))
  }
  return pins
}

/** The whole lines behind `from`, a character a byte. */
function readFrom(file: string, from: number): string {
  const fd = openSync(file, 'r')
  try {
    const buffer = Buffer.allocUnsafe(Math.max(0, fstatSync(fd).size - from))
    const text = buffer.toString('latin1', 0, readSync(fd, buffer, 0, buffer.length, from))
    return text.slice(0, text.lastIndexOf('\n') + 1)
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

type Read = { name: string; header: readonly string[]; lines: readonly string[] }

function parse(file: string, { name, header, lines }: Read): ReadTempPin {
  const [pid, start] = name.split('-')
  const alive = isAlive(Number(pid), start ?? '', header[2], header[3])
  const pin: ReadTempPin = { file, pid: Number(pid), alive, blocks: [], dags: [] }
  for (const line of lines) {
    const value = line.slice(line.indexOf(' ') + 1)
    if (line.startsWith('block ')) pin.blocks.push(keyOfMultihash(Buffer.from(value, 'base64url')))
    const cid = line.startsWith('dag ') ? tryParseCid(value) : undefined
    if (cid) pin.dags.push(cid)
  }
  return pin
}

/** A file without a header is one whose process has made it just now, maybe in another namespace. */
function isAlive(pid: number, start: string, boot?: string, namespace?: string): boolean {
  if (boot === undefined) return true
  if (boot !== bootId()) return false
  if (namespace !== pidNamespace()) return true
  return processStart(pid) === start
}
