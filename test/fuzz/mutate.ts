// Changes to inputs: bits, bytes, lengths, pieces of other inputs, words of the
// format. All from one source of random numbers, so that a seed repeats a run.

export type Random = () => number

/** Numbers at which lengths and sizes go wrong. */
const EDGES = [
  0,
  1,
  0x7f,
  0x80,
  0xff,
  0x100,
  0xffff,
  2 ** 21,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
]

/** No mutant is longer, in bytes: larger ones are made by hand (fixtures/hostile.ts). */
const MAX_LENGTH = 16 * 1024

export type Material = { corpus: readonly Uint8Array[]; dictionary: readonly Uint8Array[] }

/** A new input, some changes away from `input`. */
export function mutate(input: Uint8Array, random: Random, material: Material): Uint8Array {
  let bytes: Uint8Array = Uint8Array.from(input)
  for (let changes = 1 + below(random, 4); changes > 0; changes--) {
    bytes = CHANGES[below(random, CHANGES.length)]!(bytes, random, material)
  }
  return bytes.length > MAX_LENGTH ? bytes.subarray(0, MAX_LENGTH) : bytes
}

export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit)
}

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[below(random, from.length)] as T
}

type Change = (bytes: Uint8Array, random: Random, material: Material) => Uint8Array

const CHANGES: readonly Change[] = [
  (bytes, random) => set(bytes, below(random, bytes.length), (old) => old ^ (1 << below(random, 8))),
  (bytes, random) => set(bytes, below(random, bytes.length), () => below(random, 256)),
  (bytes, random) => set(bytes, below(random, bytes.length), (old) => old + 1 - 2 * below(random, 2)),
  (bytes, random) => put(bytes, random, encodeVarint(pick(random, EDGES)), random() < 0.5),
  (bytes, random) => put(bytes, random, encodeVarint(below(random, bytes.length + 2)), true),
  (bytes, random) => remove(bytes, random),
  (bytes, random) => bytes.subarray(0, below(random, bytes.length + 1)),
  (bytes, random) => put(bytes, random, piece(bytes, random), false),
  (bytes, random, { corpus }) => put(bytes, random, piece(pick(random, corpus), random), random() < 0.5),
  (bytes, random, { corpus }) => splice(bytes, pick(random, corpus), random),
  (bytes, random, { dictionary }) =>
    dictionary.length === 0 ? bytes : put(bytes, random, pick(random, dictionary), random() < 0.3),
  (bytes, random) => put(bytes, random, Buffer.from(String(pick(random, EDGES))), random() < 0.5),
]

function set(bytes: Uint8Array, at: number, change: (old: number) => number): Uint8Array {
  if (bytes.length > 0) bytes[at] = change(bytes[at] as number)
  return bytes
}

/** Puts `more` somewhere, over what is there or between. */
function put(bytes: Uint8Array, random: Random, more: Uint8Array, over: boolean): Uint8Array {
  const at = below(random, bytes.length + 1)
  return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(over ? at + more.length : at)])
}

function remove(bytes: Uint8Array, random: Random): Uint8Array {
  const at = below(random, bytes.length)
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(random, 16))])
}

function piece(bytes: Uint8Array, random: Random): Uint8Array {
  const at = below(random, bytes.length)
  return bytes.subarray(at, at + 1 + below(random, 64))
}

function splice(one: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  return Buffer.concat([
    one.subarray(0, below(random, one.length + 1)),
    other.subarray(below(random, other.length + 1)),
  ])
}

function encodeVarint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  return Uint8Array.from([...bytes, rest])
}
