// Lists that are too long to hold, a million names say: made while they are printed, so
// that memory holds a piece of them. What is short is an ordinary list, and then an error
// comes before anything was printed.

import { toJson } from './output.ts'

/** So many items are held before anything is printed. */
const HELD = 10_000
/** Items that are printed at once. */
const PIECE = 1000

/** For going through once. */
export class LongList<T> implements Iterable<T> {
  readonly #first: readonly T[]
  readonly #rest: Iterator<T>

  constructor(first: readonly T[], rest: Iterator<T>) {
    this.#first = first
    this.#rest = rest
  }

  *[Symbol.iterator](): Generator<T> {
    yield* this.#first
    for (let next = this.#rest.next(); !next.done; next = this.#rest.next()) yield next.value
  }
}

/** All items, or where there are many the list of them. Throws what making those throws that are held. */
export function holdOrList<T>(items: Iterable<T>): T[] | LongList<T> {
  const rest = items[Symbol.iterator]()
  const first: T[] = []
  for (let next = rest.next(); !next.done; next = rest.next()) {
    first.push(next.value)
    if (first.length === HELD) return new LongList(first, rest)
  }
  return first
}

/** The same items, some at a time. */
export function* inPieces<T>(items: Iterable<T>): Generator<T[]> {
  let piece: T[] = []
  for (const item of items) {
    piece.push(item)
    if (piece.length < PIECE) continue
    yield piece
    piece = []
  }
  if (piece.length > 0) yield piece
}

/** What `toJson` gives for a record, in pieces where a member is a long list. */
export function* jsonPieces(result: unknown): Generator<string> {
  const members = Object.entries(result ?? {})
  if (!members.some(([, value]) => value instanceof LongList)) {
    yield toJson(result)
    return
  }
  let before = '{\n'
  for (const [name, value] of members) {
    if (value === undefined) continue
    const head = `${before}  ${JSON.stringify(name)}: `
    before = ',\n'
    if (!(value instanceof LongList)) {
      yield head + indent(toJson(value), 2)
      continue
    }
    let separator = `${head}[\n`
    for (const piece of inPieces(value)) {
      yield separator + piece.map((item) => `    ${indent(toJson(item), 4)}`).join(',\n')
      separator = ',\n'
    }
    yield '\n  ]'
  }
  yield '\n}'
}

function indent(text: string, spaces: number): string {
  return text.replaceAll('\n', `\n${' '.repeat(spaces)}`)
}
