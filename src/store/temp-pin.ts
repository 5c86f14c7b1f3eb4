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
import { closeSync, openSync, readdirSync, readFileSync, unlinkSync } from 'node:fs'
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

  /** Makes the file; `pins/temp` must exist. */
  constructor(paths: Pick<PrefixPaths, 'tempPins'>) {
    const name = `${process.pid}-${processStart(process.pid)}-${randomBytes(6).toString('hex')}`
    this.file = join(paths.tempPins, name)
    this.#fd = openSync(this.file, 'ax', 0o644)
    this.#append(`${FORMAT} ${bootId()} ${pidNamespace()}\n`)
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

/** All temp pins. A last line without its end is a record whose write has not returned: left out. */
export function readTempPins(paths: Pick<PrefixPaths, 'tempPins'>): ReadTempPin[] {
  const pins: ReadTempPin[] = []
  for (const name of readdirSync(paths.tempPins)) {
    const file = join(paths.tempPins, name)
    let text: string
    try {
      text = readFileSync(file, 'latin1')
    } catch (error) {
      // Closed since the listing: its link is written by now.
      if (isErrno(error, 'ENOENT')) continue
      throw error
    }
    pins.push(parse(file, name, text))
  }
  return pins
}

/** Removes a temp pin of a dead process. */
export function removeTempPin(file: string): void {
  try {
    unlinkSync(file)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}

function parse(file: string, name: string, text: string): ReadTempPin {
  const lines = text.split('\n')
  lines.pop()
  const [pid, start] = name.split('-')
  const pin: ReadTempPin = { file, pid: Number(pid), alive: true, blocks: [], dags: [] }
  const header = lines.shift()?.split(' ') ?? []
  pin.alive = isAlive(Number(pid), start ?? '', header[2], header[3])
  for (const line of lines) {
    const value = line.slice(line.indexOf(' ') + 1)
    if (line.startsWith('block ')) pin.blocks.push(keyOfMultihash(Buffer.from(value, 'base64url')))
    const cid = line.startsWith('dag ') ? tryParseCid(value) : undefined
    if (cid) pin.dags.push(cid)
  }
  return pin
}

/** A file without a header is one whose process has made it just now, or died right then: judged by its name alone. */
function isAlive(
  pid: number,
  start: string,
  boot: string | undefined,
  namespace: string | undefined,
): boolean {
  if (boot !== undefined && boot !== bootId()) return false
  if (namespace !== undefined && namespace !== pidNamespace()) return true
  return processStart(pid) === start
}
