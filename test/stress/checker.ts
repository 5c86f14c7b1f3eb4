// An independent checker of a prefix: it shares no code with the store. It reads
// links and block files, and says what is wrong with them; nothing is written.
//
// Checked: every pin, generation and `current` leads to a DAG whose blocks are all
// there with bytes that hash to their names.

import { createHash } from 'node:crypto'
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

const LETTERS = 'abcdefghijklmnopqrstuvwxyz234567'

/** The violations found, one line each; none in a sound prefix. */
export function checkPrefix(prefix: string): string[] {
  const wrong: string[] = []
  const seen = new Set<string>()
  for (const { link, cid } of rootsOf(prefix, wrong)) {
    const stack = [cid]
    for (let text = stack.pop(); text !== undefined; text = stack.pop()) {
      if (seen.has(text)) continue
      seen.add(text)
      const problem = readBlock(prefix, decodeBase32(text.slice(1)), stack)
      if (problem) wrong.push(`${link}: ${text} ${problem}`)
    }
  }
  return wrong
}

type Root = { link: string; cid: string }

function rootsOf(prefix: string, wrong: string[]): Root[] {
  const roots: Root[] = []
  const take = (link: string) => {
    const cid = readlinkSync(link).match(/store\/(b[a-z2-7]+)$/)?.[1]
    if (cid) roots.push({ link, cid })
    else wrong.push(`${link} -> ${readlinkSync(link)} leads to no CID`)
  }
  for (const user of names(join(prefix, 'pins', 'per-user'))) {
    for (const prog of names(user)) for (const pin of names(prog)) if (isLink(pin)) take(pin)
  }
  for (const user of names(join(prefix, 'profiles', 'per-user'))) {
    for (const generation of names(join(user, 'generations'))) {
      if (/\/\d+$/.test(generation)) take(generation)
    }
    const current = join(user, 'current')
    if (isLink(current) && !isLink(join(user, readlinkSync(current)))) {
      wrong.push(`${current} -> ${readlinkSync(current)}, which is not there`)
    }
  }
  return roots
}

function names(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory).map((name) => join(directory, name)) : []
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
}

/** Pushes the CIDs that the block links to; gives what is wrong with it. CIDs are v1 with sha2-256, as ours all are. */
function readBlock(prefix: string, cid: Buffer, links: string[]): string | undefined {
  const codec = cid[1]
  const multihash = cid.subarray(2)
  const name = `b${encodeBase32(Buffer.concat([Buffer.from([1, 0x55]), multihash]))}`
  const file = join(prefix, 'blocks', name.slice(-3, -1), name)
  if (!existsSync(file)) return 'is missing'
  const bytes = readFileSync(file)
  const digest = createHash('sha256').update(bytes).digest()
  if (!digest.equals(multihash.subarray(2))) return 'has other bytes'
  if (codec === 0x70) for (const link of dagPbLinks(bytes)) links.push(`b${encodeBase32(link)}`)
  return undefined
}

/** The Hash (field 1) of every link (field 2) of a dag-pb node. */
function* dagPbLinks(node: Buffer): Generator<Buffer> {
  for (const [number, link] of fields(node)) {
    if (number !== 2) continue
    for (const [inner, hash] of fields(link)) if (inner === 1) yield hash
  }
}

function* fields(message: Buffer): Generator<[number: number, value: Buffer]> {
  for (let at = 0; at < message.length; ) {
    const key = varint(message, at)
    const value = varint(message, key.end)
    const isBytes = (key.value & 7) === 2
    const end = isBytes ? value.end + value.value : value.end
    if (isBytes) yield [key.value >> 3, message.subarray(value.end, end)]
    at = end
  }
}

function varint(bytes: Buffer, start: number): { value: number; end: number } {
  let value = 0
  let scale = 1
  for (let at = start; ; at++, scale *= 128) {
    value += (bytes[at]! & 127) * scale
    if (bytes[at]! < 128) return { value, end: at + 1 }
  }
}

function decodeBase32(text: string): Buffer {
  const bytes: number[] = []
  let bits = 0
  let value = 0
  for (const letter of text) {
    value = ((value << 5) | LETTERS.indexOf(letter)) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push((value >> bits) & 0xff)
  }
  return Buffer.from(bytes)
}

function encodeBase32(bytes: Buffer): string {
  let text = ''
  let bits = 0
  let value = 0
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff
    for (bits += 8; bits >= 5; bits -= 5) text += LETTERS[(value >> (bits - 5)) & 31]
  }
  return bits > 0 ? text + LETTERS[(value << (5 - bits)) & 31] : text
}
