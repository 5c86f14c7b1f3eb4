// "-" as an argument (standard input or output): yargs takes it for an empty word,
// so it is veiled before the parsing and unveiled after it.

/** Stands for "-": no word of a command line can hold a NUL. */
const DASH = '\0'

/** Words after "--" are a program's own and stay. */
export function veilDashes(words: readonly string[]): string[] {
  const end = words.includes('--') ? words.indexOf('--') : words.length
  return words.map((word, at) => (word === '-' && at < end ? DASH : word))
}

export function unveilDashes(args: object): object {
  const unveil = (value: unknown) => (value === DASH ? '-' : value)
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(unveil) : unveil(value),
    ]),
  )
}
