// An error as people and programs see it: one line, a hint, an exit status.
// The stack shows only under PKG_DEBUG; a bug says that it is one.

import { getSystemErrorMap } from 'node:util'
import { codeOf, type ErrorCode, isErrno, PkgError } from '../../errors.ts'
import { printableLines, type Style } from './output.ts'

export type ErrorReport = { code: ErrorCode; message: string; hint?: string }

/** What to say of any thrown value. Newlines of a message stay: a list is readable so. */
export function reportOf(error: unknown): ErrorReport {
  const code = codeOf(error)
  if (error instanceof PkgError) {
    return { code, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) }
  }
  if (code === 'INTERRUPTED') return { code, message: 'interrupted' }
  if (isErrno(error, 'ENOENT') && error.syscall === 'uv_cwd') {
    return { code, message: 'the working directory is not there any more', hint: 'Change to another one: cd' }
  }
  const message = error instanceof Error ? error.message : String(error)
  if (code === 'PERMISSION') {
    if (isErrno(error, 'EACCES', 'EPERM') && error.syscall === 'lock') {
      return { code, message: systemMessage(message), hint: LOCK_HINT }
    }
    const hint = 'Run as the owner, or have a prefix of your own: PKG_PREFIX=<directory> pkg init'
    return { code, message: systemMessage(message), hint }
  }
  if (code !== 'INTERNAL') {
    const hint = isErrno(error, 'EFBIG') ? LARGE_HINT : HINTS[code]
    return { code, message: systemMessage(message), ...(hint !== undefined && { hint }) }
  }
  return {
    code,
    message: `internal error: ${message}`,
    hint: 'This is a bug. PKG_DEBUG=1 shows where it happened; please report it.',
  }
}

const LOCK_HINT =
  'It is changed under a lock beside it: work as its owner, or with a registry or profile of your own.'

/** setrlimit(2); FAT keeps no more than 4 GiB in a file. */
const LARGE_HINT = '`ulimit -f`, or the file system, allows no larger file there.'

/** For what a disk or the system says of itself. */
const HINTS: Partial<Record<ErrorCode, string>> = {
  NO_SPACE:
    '`pkg gc` deletes what nothing needs any more, also on a full disk; --dry-run shows how much that is.',
  IO: 'The disk may be failing: see what the kernel says (dmesg).',
  LIMIT: 'A limit of this session or machine is reached: see `ulimit -a` (open files, processes, memory).',
}

/** `ENOENT: no such file or directory, open '/x'` as `/x: no such file or directory`; of what has no path, the same words. */
function systemMessage(message: string): string {
  const [, program, errno] = /^spawn (.*) (E[A-Z]+)$/.exec(message) ?? []
  if (program) return `${program} cannot be started: ${wordsOf(errno)}`
  const [, what, path, target] =
    /^E[A-Z0-9]+: (.*?), \w+(?: '([^']*)')?(?: -> '([^']*)')?/.exec(nameUnnamed(message)) ?? []
  if (!what) return message
  // Of a rename: what is in its way is at the second.
  const place = target ?? path
  return place === undefined ? what : `${place}: ${what}`
}

function wordsOf(errno = ''): string {
  return [...getSystemErrorMap().values()].find(([name]) => name === errno)?.[1] ?? errno
}

/** `Unknown system error -122: Unknown system error -122, write`: the kernel's words for what Node does not know. */
function nameUnnamed(message: string): string {
  return message.replace(/^Unknown system error (-\d+): Unknown system error -\d+/, (all, errno) => {
    if (errno === '-122') return 'EDQUOT: disk quota exceeded'
    return errno === '-117' ? 'EUCLEAN: the file system is damaged' : all
  })
}

/** The lines for standard error. */
export function renderError(error: unknown, style: Style, { PKG_DEBUG }: NodeJS.ProcessEnv): string {
  const { message, hint } = reportOf(error)
  const lines = [`${style.red('pkg:')} ${printableLines(message)}`]
  if (hint !== undefined) lines.push(`${style.bold('hint:')} ${printableLines(hint)}`)
  if (PKG_DEBUG) lines.push(...stacks(error))
  return lines.join('\n')
}

function stacks(error: unknown): string[] {
  const lines: string[] = []
  for (let at = error; at instanceof Error; at = at.cause) {
    lines.push(lines.length === 0 ? (at.stack ?? at.message) : `caused by: ${at.stack ?? at.message}`)
  }
  return lines
}
