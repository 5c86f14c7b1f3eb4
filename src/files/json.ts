// Reading JSON that others wrote: in bounded time, and never so deep that a walk
// through the value, or writing it again, would run out of stack (invariant 7).

/** Levels of lists and objects, at most: formats of ours have eight. */
const MAX_DEPTH = 100

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** The value that these bytes spell. Throws a SyntaxError for what is not UTF-8, not JSON, or nested too deep. */
export function parseJson(bytes: Uint8Array): unknown {
  // JSON.parse alone takes a megabyte of brackets, and long for it; whoever walks the result overflows.
  if (depthOf(bytes) > MAX_DEPTH) throw new SyntaxError(`nested deeper than ${MAX_DEPTH} levels`)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new SyntaxError('not UTF-8', { cause })
  }
  return JSON.parse(text)
}

/** How many brackets are open at once, those in strings not counted; right for all that is JSON. */
function depthOf(bytes: Uint8Array): number {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (inString) {
      if (byte === BACKSLASH) at++
      else if (byte === QUOTE) inString = false
    } else if (byte === QUOTE) inString = true
    else if (byte === 0x5b || byte === 0x7b) deepest = Math.max(deepest, ++depth)
    else if (byte === 0x5d || byte === 0x7d) depth--
  }
  return deepest
}
