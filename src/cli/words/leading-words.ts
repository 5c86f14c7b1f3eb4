// What stands in front: the words that name a command, in their other spellings
// too, and the options before them. yargs would take an option that it does not
// know for one with a value, swallow the command, and find nothing wrong. Pure.

import { ALIASES, BARE_GROUPS, GROUPS } from '../commands.ts'

/** Options of every command: they may stand before it. A value follows those of the second list. */
export const EVERYWHERE = ['json', 'quiet', 'help', 'version']
export const WITH_VALUE = ['prefix', 'profile']

/** Letters, which may be joined: `-qh`. */
const LETTERS = /^-[qhV]+$/

export type LeadingWords = {
  /** all words, aliases replaced */
  words: string[]
  /** `store add`; '' when no word names a command */
  command: string
  /** options before the command that not every command has, without dashes and value */
  unknown: string[]
  /** `version` or `-V` */
  version: boolean
}

export function readLeadingWords(typed: readonly string[]): LeadingWords {
  const words: string[] = []
  const named: string[] = []
  const unknown: string[] = []
  let version = false
  let at = 0
  for (; at < typed.length && isOpen(named); at++) {
    const word = typed[at] as string
    if (word === '--') break
    if (!word.startsWith('-') || word === '-') {
      const meant = ALIASES[[...named, word].join(' ')] ?? word
      version ||= named.length === 0 && word === 'version'
      named.push(meant)
      words.push(meant)
      continue
    }
    const name = word.replace(/^-+(no-)?|=.*$/gs, '')
    const isLong = word.startsWith('--')
    const isEverywhere = isLong ? [...EVERYWHERE, ...WITH_VALUE].includes(name) : LETTERS.test(word)
    // An option of what the group alone stands for.
    if (!isEverywhere && BARE_GROUPS[named[0] ?? ''] !== undefined) break
    if (LETTERS.test(word)) version ||= word.includes('V')
    else if (!isEverywhere) unknown.push(name)
    words.push(word)
    if (isLong && WITH_VALUE.includes(name) && !word.includes('=') && at + 1 < typed.length) {
      words.push(typed[++at] as string)
    }
  }
  const [group, verb] = named
  const bare = group === undefined || verb !== undefined ? undefined : BARE_GROUPS[group]
  // Whoever asks for help wants the page of all that the group has.
  if (bare !== undefined && !words.some((word) => word === '--help' || /^-[a-z]*h/.test(word))) {
    words.splice(words.indexOf(group as string) + 1, 0, bare)
    named.push(bare)
  }
  return { words: [...words, ...typed.slice(at)], command: named.join(' '), unknown, version }
}

/** True while another word belongs to the name of the command. */
function isOpen([first, second]: readonly string[]): boolean {
  return first === undefined || (second === undefined && first in GROUPS)
}
