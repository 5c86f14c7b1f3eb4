// A program in place of ourselves, as far as anybody can tell: its standard
// streams, signals and exit status are ours.

import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { isErrno, PkgError } from '../errors.ts'
import type { Signals } from './signals.ts'

/** Sent to us alone, and meant for the program. */
const FORWARDED = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const

/** A terminal sends these to the program as well as to us: passing them on would have them come twice. */
const FROM_TERMINAL = ['SIGINT', 'SIGQUIT'] as const

/**
 * Runs the program at `path` and gives its exit status; 128 + n after signal n.
 * Throws NOT_FOUND, PERMISSION, or UNSUPPORTED when the system cannot start it.
 */
export async function runProgram(path: string, words: readonly string[], signals: Signals): Promise<number> {
  signals.signal.throwIfAborted()
  signals.release()
  const child = spawn(path, words, { env: environmentOf(process.env), stdio: 'inherit' })
  const onTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY
  const forward = (name: NodeJS.Signals) => void child.kill(name)
  const stay = () => {}
  for (const name of FORWARDED) process.on(name, forward)
  for (const name of FROM_TERMINAL) process.on(name, onTerminal ? stay : forward)
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', (cause) => reject(cannotStart(path, cause)))
      child.once('exit', (code, name) => resolve(code ?? 128 + (name ? constants.signals[name] : 0)))
    })
  } finally {
    for (const name of FORWARDED) process.off(name, forward)
    for (const name of FROM_TERMINAL) process.off(name, onTerminal ? stay : forward)
  }
}

/** As the launcher was given it: NODE_OPTIONS are put by there. */
function environmentOf({ PROGRAMS_NODE_OPTIONS: theirs, ...env }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (theirs === undefined) return env
  const { NODE_OPTIONS: _, ...others } = env
  return theirs === '' ? others : { ...others, NODE_OPTIONS: theirs }
}

function cannotStart(path: string, cause: Error): PkgError {
  if (isErrno(cause, 'ENOENT')) {
    return new PkgError(
      'NOT_FOUND',
      `${path} cannot be started: it, or the interpreter it names, is not there`,
      { cause },
    )
  }
  if (isErrno(cause, 'EACCES')) return new PkgError('PERMISSION', `${path} is not executable`, { cause })
  if (isErrno(cause, 'ENOEXEC')) {
    return new PkgError('UNSUPPORTED', `${path} is not a program for this machine`, { cause })
  }
  return new PkgError('IO', `${path} cannot be started: ${cause.message}`, { cause })
}
