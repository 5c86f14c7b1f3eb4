// JSON with one spelling for one value: what is hashed into a DAG must be the same bytes on every machine.
// Members sorted by UTF-16 code unit, undefined members left out, two spaces of indent, a line end at the end.

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json | undefined }

/** The canonical text of `value`. Member order and undefined members of the input make no difference. */
export function canonicalJson(value: unknown): string {
  return `${JSON.stringify(sorted(value as Json), undefined, 2)}\n`
}

/** The UTF-8 bytes of {@link canonicalJson}. */
export function canonicalBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(canonicalJson(value))
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  // A null prototype, so that a member named __proto__ is a member like any other.
  const out: { [name: string]: Json } = Object.create(null)
  for (const name of Object.keys(value).sort()) {
    const member = value[name]
    if (member !== undefined) out[name] = sorted(member)
  }
  return out
}
