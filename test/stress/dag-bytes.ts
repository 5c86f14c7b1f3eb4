// dag-pb and base32 by hand, for the checker, which shares no code with the store.

const LETTERS = 'abcdefghijklmnopqrstuvwxyz234567'

/** The Hash (field 1) of every link (field 2) of a dag-pb node. */
export function* dagPbLinks(node: Buffer): Generator<Buffer> {
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

export function decodeBase32(text: string): Buffer {
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

export function encodeBase32(bytes: Buffer): string {
  let text = ''
  let bits = 0
  let value = 0
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff
    for (bits += 8; bits >= 5; bits -= 5) text += LETTERS[(value >> (bits - 5)) & 31]
  }
  return bits > 0 ? text + LETTERS[(value << (5 - bits)) & 31] : text
}
