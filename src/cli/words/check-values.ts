// What is wrong with the values of options and arguments, of whatever kind they are:
// empty, given twice, a value where none belongs, or none of its kind (values.ts). Pure.

import { PkgError } from '../../errors.ts'

type Values = {
  args: Readonly<Record<string, unknown>>
  /** the words as they were typed */
  argv: readonly string[]
  /** names of those that may hold several values */
  lists: readonly string[]
  /** options that are there or not, by their names and letters */
  switches: readonly string[]
  /** names of those that stand without dashes */
  positionals: readonly string[]
  /** how the command is used */
  hint: string
}

/** The USAGE error for the first thing that is wrong; undefined: nothing is. */
export function wrongValue({ args, argv, lists, switches, positionals, hint }: Values): unknown {
  const typed = switchWithValue(argv, switches)
  if (typed !== undefined) return new PkgError('USAGE', `${typed} takes no value`, { hint })
  // yargs has each name a second time in its own spelling, `dryRun`, and its letter.
  const names = Object.keys(args).filter((name) => name.length > 1 && name !== '--' && !/[A-Z]/.test(name))
  for (const name of names) {
    const value = args[name]
    const isPositional = positionals.includes(name)
    const shown = isPositional ? `<${name}>` : `--${name}`
    if (Array.isArray(value) && !lists.includes(name)) {
      return new PkgError('USAGE', `${shown} is given twice`, { hint })
    }
    // A list takes the words behind it for what is missing behind the sign: `--bin= ./dir`.
    if ([value].flat().includes('') || argv.includes(`--${name}=`)) {
      const way = isPositional ? '' : `Give one, or leave ${shown} out. `
      return new PkgError('USAGE', `the value of ${shown} is empty`, { hint: way + hint })
    }
    if (value instanceof PkgError) {
      return new PkgError(value.code, `${shown}: ${value.message}`, { hint: value.hint, cause: value })
    }
    if (value instanceof Error) return value
  }
  return undefined
}

/**
 * The switch in `argv` that has a value, as it was typed. yargs takes every value but "true" for
 * "no": `--dry-run=yes` and `-n1` would run.
 */
function switchWithValue(argv: readonly string[], switches: readonly string[]): string | undefined {
  const end = argv.indexOf('--')
  for (const word of end === -1 ? argv : argv.slice(0, end)) {
    const [, long = '', no = '', name = '', value = ''] = /^(--(no-)?([^=]+))=(.*)$/s.exec(word) ?? []
    if (switches.includes(name) && (no !== '' || !['true', 'false'].includes(value))) return long
    const [, letter] = /^-[A-Za-z]*([A-Za-z])[^A-Za-z]/.exec(word) ?? []
    if (letter !== undefined && switches.includes(letter)) return `-${letter}`
  }
  return undefined
}
