// The command line: reads the words, runs one command, prints what it returned
// and exits. Nothing else writes to standard output, but commands that stream
// bytes. Under --json standard output holds one record, whatever happens: the
// result, or {"error": {code, message, hint}}.

import packageJson from '../../package.json' with { type: 'json' }
import { exitStatusOf, hasCode, isErrno, PkgError } from '../errors.ts'
import { prefixPaths, resolvePrefix } from '../paths.ts'
import { createContext } from './context.ts'
import { jsonPieces } from './show/long-list.ts'
import { printableLines, styleFor, toJson, write } from './show/output.ts'
import { createProgress } from './show/progress.ts'
import { renderError, reportOf } from './show/report.ts'
import { watchSignals } from './signals.ts'
import { COMPLETE } from './words/completion.ts'
import { rootHelp } from './words/help.ts'
import type { Invocation, Parsed } from './words/parse.ts'

/** Help is no wider than this, in columns: long lines are hard to read. */
const MAX_WIDTH = 100

/** 128 + SIGPIPE: the reader of our output went away, as in `pkg list | head -1`. */
const BROKEN_PIPE = 141

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    // Any other error rejects the write that met it: see `write`.
    if (isErrno(error, 'EPIPE')) process.exit(BROKEN_PIPE)
  })
}

// Exit even though a socket or a worker may be open: all that was promised is done.
process.exit(await main(process.argv.slice(2)))

async function main(words: string[]): Promise<number> {
  let invocation: Invocation
  try {
    const parsed = await read(words)
    if ('text' in parsed) {
      if (parsed.text !== '') await write(process.stdout, `${parsed.text.trimEnd()}\n`)
      return 0
    }
    invocation = parsed.invocation
  } catch (error) {
    const [ours] = words.join('\0').split('\0--\0')
    await printError(error, { json: ours?.split('\0').includes('--json') === true })
    return exitStatusOf(error)
  }
  return await run(invocation)
}

/** The pages asked for most need no parser: yargs takes longer to load than all the rest. */
async function read(words: string[]): Promise<Parsed> {
  const [only = '--help', ...more] = words
  if (more.length === 0 && ['--help', '-h', 'help'].includes(only)) return { text: rootHelp() }
  if (only === COMPLETE) {
    const { candidates, formatCandidates } = await import('./words/candidates.ts')
    return { text: formatCandidates(await candidates(more)) }
  }
  if (more.length === 0 && ['--version', '-V', 'version'].includes(only)) return { text: packageJson.version }
  const { parse } = await import('./words/parse.ts')
  return await parse(words, {
    version: packageJson.version,
    columns: Math.min(process.stdout.columns ?? 80, MAX_WIDTH),
  })
}

async function run({ command, args }: Invocation): Promise<number> {
  const { json = false, quiet = false, prefix, profile } = args
  const signals = watchSignals()
  // Remarks come after the result that they are about.
  const notes: string[] = []
  const streams = command.streams?.(args) === true
  // Half a record is none: an error then goes where it can be read.
  let begun = false
  try {
    const { context, close } = createContext({
      paths: prefixPaths(resolvePrefix({ ...process.env, ...(prefix && { PKG_PREFIX: prefix }) })),
      env: process.env,
      profilePath: profile,
      signals,
      json,
      quiet,
      progress: createProgress(process.stderr, { quiet: quiet || json, env: process.env }),
      note: (text) => {
        if (!quiet && !json) notes.push(`${printableLines(text)}\n`)
      },
    })
    try {
      const result = await command.run(args, context)
      if (!streams) await print(command, { result, args, onBegin: () => (begun = true) })
      await say(notes.splice(0).join(''))
      return command.exitStatus?.(result) ?? 0
    } finally {
      await close()
    }
  } catch (error) {
    // Whatever broke after Ctrl-C broke because of it.
    await say(notes.join(''))
    const interrupted = signals.exitStatus()
    const reported = interrupted === undefined ? error : interruption(command, error)
    await printError(reported, { json, stream: streams || begun ? process.stderr : process.stdout })
    return interrupted ?? exitStatusOf(error)
  }
}

/** A command that says itself how far it came is not talked over. */
function interruption({ afterInterrupt: hint }: Invocation['command'], cause: unknown): PkgError {
  if (hasCode(cause, 'INTERRUPTED')) return cause
  return new PkgError('INTERRUPTED', 'interrupted', { cause, ...(hint === undefined ? {} : { hint }) })
}

type Result = { result: unknown; args: Invocation['args']; onBegin: () => void }

async function print(
  { brief, render, about }: Invocation['command'],
  { result, args, onBegin }: Result,
): Promise<void> {
  if (args.json) {
    for (const piece of jsonPieces(result)) {
      await write(process.stdout, piece)
      onBegin()
    }
    return await write(process.stdout, '\n')
  }
  const text =
    args.quiet || about !== undefined ? brief?.(result) : render?.(result, styleFor(process.stdout), args)
  for (const piece of typeof text === 'string' ? [text] : (text ?? [])) {
    if (piece) await write(process.stdout, `${piece}\n`)
  }
  const more = args.quiet ? undefined : about?.(result, styleFor(process.stderr), args)
  if (more) await say(`${more}\n`)
}

type ErrorOutput = { json: boolean; stream?: NodeJS.WritableStream }

async function printError(error: unknown, { json, stream = process.stdout }: ErrorOutput): Promise<void> {
  if (!json) return await say(`${renderError(error, styleFor(process.stderr), process.env)}\n`)
  const record = `${toJson({ error: reportOf(error) })}\n`
  try {
    await write(stream, record)
  } catch {
    await say(record)
  }
}

/** To the person. Where that cannot be written there is no place left to say so, and the exit status still tells. */
async function say(text: string): Promise<void> {
  await write(process.stderr, text).catch(() => {})
}
