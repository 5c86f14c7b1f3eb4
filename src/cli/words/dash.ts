// Words that yargs would take for options or for nothing: "-" (standard input or
// output), and what follows "--". They are veiled before the parsing and unveiled
// after it.

/** Begins a veiled word: no word of a command line can hold a NUL. */
const VEIL = '\0'

/** `passes`: words after "--" are a program's own and stay; for other commands they are arguments. */
export function veilDashes(words: readonly string[], { passes }: { passes: boolean }): string[] {
  const end = words.includes('--') ? words.indexOf('--') : words.length
  const before = words.slice(0, end).map((word) => (word === '-' ? VEIL + word : word))
  if (passes) return [...before, ...words.slice(end)]
  return [...before, ...words.slice(end + 1).map((word) => VEIL + word)]
}

export function unveilDashes(args: object): object {
  const unveil = (value: unknown) => (typeof value === 'string' ? unveilWord(value) : value)
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(unveil) : unveil(value),
    ]),
  )
}

export function unveilWord(word: string): string {
  return word.startsWith(VEIL) ? word.slice(VEIL.length) : word
}
