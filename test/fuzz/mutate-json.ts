// Changes to JSON that leave it JSON: one value becomes another, goes, or comes twice.

import { below, pick, type Random } from './mutate.ts'

const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e21,
  2 ** 53,
  '',
  '..',
  'a/b',
  'a\0b',
  '\u001b[2J',
  '\ud800',
  'x'.repeat(5000),
  '1.0.0',
  '1.0.0-rc.1+b',
  '99999999999999999999.0.0',
  [],
  {},
  [[[]]],
  { '': '' },
  { constructor: 1 },
  'hello',
  'linux',
]

/** A value of its own for each place: what is changed below it later changes nothing else. */
function value(random: Random): unknown {
  if (random() < 0.05) return nested(below(random, 2) === 0 ? 100 : 8000)
  return structuredClone(pick(random, VALUES))
}

function nested(depth: number): unknown {
  let inner: unknown = []
  for (let level = 0; level < depth; level++) inner = level % 2 === 0 ? [inner] : { a: inner }
  return inner
}

/** The changed text; undefined for what is no JSON. */
export function mutateJson(text: string, random: Random): string | undefined {
  try {
    const root = { value: JSON.parse(text) }
    for (let changes = 1 + below(random, 3); changes > 0; changes--) change(root, random)
    return JSON.stringify(root.value) ?? 'null'
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined
    throw error
  }
}

function change(root: { value: unknown }, random: Random): void {
  // Down to a random place: each level may be it.
  let holder = root as unknown as Record<string, unknown>
  let key = 'value'
  for (;;) {
    const inner = holder[key]
    if (typeof inner !== 'object' || inner === null || random() < 0.3) break
    const keys = Object.keys(inner)
    if (keys.length === 0) break
    holder = inner as Record<string, unknown>
    key = pick(random, keys)
  }
  const kind = below(random, 4)
  if (kind === 0) delete holder[key]
  else if (kind === 1 && Array.isArray(holder)) (holder as unknown[]).push(structuredClone(holder[key]))
  else if (kind === 2) holder[String(value(random)).slice(0, 40)] = structuredClone(holder[key])
  else holder[key] = value(random)
}
