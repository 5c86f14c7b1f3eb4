// An error as people and programs see it: one line, a hint, an exit status.
// The stack shows only under PKG_DEBUG; a bug says that it is one.

import { codeOf, type ErrorCode, isErrno, PkgError } from '../errors.ts'
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
    const hint = 'Run as the owner, or have a prefix of your own: PKG_PREFIX=<directory> pkg init'
    return { code, message: systemMessage(message), hint }
  }
  if (code !== 'INTERNAL') return { code, message: systemMessage(message) }
  return {
    code,
    message: `internal error: ${message}`,
    hint: 'This is a bug. PKG_DEBUG=1 shows where it happened; please report it.',
  }
}

/** `ENOENT: no such file or directory, open '/x'` as `/x: no such file or directory`. */
function systemMessage(message: string): string {
  const [, what, path] = /^E[A-Z0-9]+: (.*?), \w+ '([^']*)'/.exec(message) ?? []
  return what && path !== undefined ? `${path}: ${what}` : message
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
