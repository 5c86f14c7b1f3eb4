// What a file looks like to stat(2), in the binding's own form.
// The binding carries times as unsigned milliseconds. For times that do not fit
// (nanoseconds, before 1970) and only with the binary whose layout was looked up
// and whose digest is known, the same call fills the native struct at a shifted
// address: see native-notes/fuse-native.md, "Nanoseconds".

import { readFileSync } from 'node:fs'
import { sha256 } from '../store/blocks/hash.ts'

/** `mode` is a full st_mode, type included. */
export type Attributes = {
  mode: number
  size: number
  seconds: number
  nanoseconds: number
}

/** fuse-native 2.2.6, prebuilds/linux-x64/node.napi.node. */
const KNOWN_BINARY = '0852320a710f20cb7f5be2ededbdcce714e88a849ae317609f734766d23e18fd'
/** In that binary: bytes of a request's record, and where in it the address of its `struct stat` is. */
const RECORD_BYTES = 360
const STAT_ADDRESS = 168
/** `populate_stat` fills the first 120 of the 144 bytes of x86-64's `struct stat`: moved by 24 it ends with it. */
const SHIFT = 24n

const WORDS = 18
const UINT32 = 2 ** 32
/** st_blocks counts units of 512 bytes (stat(2)). */
const STAT_BLOCK = 512
/** Few enough reads and few enough bytes at once: what cat(1) and cp(1) take for their buffer. */
const IO_BLOCK = 128 * 1024

export type Signal = (record: Buffer, result: number, words: Uint32Array) => void

/** True when exact times can be given with the binding in `file`. */
export function hasExactTimes(file: string): boolean {
  return process.arch === 'x64' && Buffer.from(sha256(readFileSync(file))).toString('hex') === KNOWN_BINARY
}

/** Answers a getattr: a function that is called once for each, with the request's record. */
export function statReplier(
  signal: Signal,
  exact: boolean,
): (record: Buffer, attributes: Attributes) => void {
  const words = new Uint32Array(WORDS)
  const scratch = Buffer.alloc(RECORD_BYTES)
  return (record, attributes) => {
    const { seconds, nanoseconds } = attributes
    const milliseconds = seconds * 1000 + Math.floor(nanoseconds / 1_000_000)
    const fits = seconds >= 0 && nanoseconds % 1_000_000 === 0 && Number.isSafeInteger(milliseconds)
    fillPlain(words, attributes, fits ? milliseconds : nearest(milliseconds))
    if (fits || !exact || record.length !== RECORD_BYTES) return signal(record, 0, words)
    // First the plain form, through a record of ours that nobody waits for …
    scratch.fill(0)
    record.copy(scratch, STAT_ADDRESS, STAT_ADDRESS, STAT_ADDRESS + 8)
    signal(scratch, 0, words)
    // … then the shifted one through the request's own, which answers it.
    record.writeBigUInt64LE(record.readBigUInt64LE(STAT_ADDRESS) + SHIFT, STAT_ADDRESS)
    fillShifted(words, attributes)
    signal(record, 0, words)
  }
}

/** The word order of `populate_stat`: mode uid gid size² dev nlink ino rdev blksize blocks² atime² mtime² ctime². */
function fillPlain(words: Uint32Array, { mode, size }: Attributes, milliseconds: number): void {
  words.fill(0)
  words[0] = mode
  setDouble(words, 3, size)
  words[6] = 1
  words[9] = IO_BLOCK
  setDouble(words, 10, Math.ceil(size / STAT_BLOCK))
  setDouble(words, 12, milliseconds)
  setDouble(words, 14, milliseconds)
}

/** What lands where: size in mode+uid, blksize in gid, mode in dev, blocks in rdev; then the times. */
function fillShifted(words: Uint32Array, { mode, size, seconds, nanoseconds }: Attributes): void {
  words.fill(0)
  setDouble(words, 0, size)
  words[2] = IO_BLOCK
  words[5] = mode
  words[8] = Math.ceil(size / STAT_BLOCK)
  setBigDouble(words, 3, BigInt(seconds))
  words[9] = nanoseconds
  setBigDouble(words, 10, BigInt(seconds))
  // Written as milliseconds / 1000, and the remainder, 0, goes to the ctime.
  setDouble(words, 12, nanoseconds * 1000)
}

function nearest(milliseconds: number): number {
  return Math.min(Math.max(milliseconds, 0), Number.MAX_SAFE_INTEGER)
}

function setDouble(words: Uint32Array, at: number, value: number): void {
  words[at] = value % UINT32
  words[at + 1] = Math.floor(value / UINT32)
}

function setBigDouble(words: Uint32Array, at: number, value: bigint): void {
  words[at] = Number(BigInt.asUintN(32, value))
  words[at + 1] = Number(BigInt.asUintN(32, value >> 32n))
}
