// The real program in a child process, with a prefix and a home of its own.

import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from '../helpers/temp.ts'

const SOURCES = join(import.meta.dirname, '..', '..', 'src')
const BUNDLE = join(SOURCES, '..', 'dist', 'pkg.js')
export const LAUNCHER = join(SOURCES, 'cli', 'pkg')

/**
 * What the launcher starts: the bundle, with which all tests take half as long. Where the sources were changed since
 * it was built, as while somebody works on them, the sources.
 */
export const START = bundleIsCurrent() ? BUNDLE : join(SOURCES, 'cli/start.ts')

/** What it starts, as a shell calls it. */
export const SHELL_WORDS = `"${process.execPath}" --disable-warning=ExperimentalWarning "${START}"`

function bundleIsCurrent(): boolean {
  const built = statSync(BUNDLE, { throwIfNoEntry: false })?.mtimeMs ?? 0
  return readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).every(
    (name) => statSync(join(SOURCES, name)).mtimeMs <= built,
  )
}

export type Outcome = { status: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }

export type RunOptions = {
  env?: NodeJS.ProcessEnv
  input?: string | Uint8Array
  /** Node's own options, before the program */
  node?: string[]
}

/** A test's context, or the module `node:test` for a whole file. */
type Owner = { after(fn: () => unknown): void }

export type Sandbox = {
  directory: string
  prefix: string
  home: string
  env: NodeJS.ProcessEnv
  run(words: string[], options?: RunOptions): Promise<Outcome>
  /** Runs it with --json; throws when it fails. */
  json<T>(...words: string[]): Promise<T>
  /** What --quiet leaves; throws when it fails. */
  brief(...words: string[]): Promise<string>
}

/** A prefix, a home and a working directory; a daemon that was started there is stopped in the end. */
export async function sandbox(t: Owner): Promise<Sandbox> {
  // Hooks run in the order of their registration: the daemon ends before its directory goes.
  let stop: () => unknown = () => {}
  t.after(() => stop())
  const directory = await temporaryDirectory(t as Parameters<typeof temporaryDirectory>[0])
  const prefix = join(directory, 'prefix')
  const home = join(directory, 'home')
  mkdirSync(home)
  const env = { ...userEnvironment(), HOME: home, PKG_PREFIX: prefix, SHELL: '/bin/bash', CI: '1' }
  const run = (words: string[], { env: more, input, node = [] }: RunOptions = {}) =>
    outcome([process.execPath, '--disable-warning=ExperimentalWarning', ...node, START, ...words], {
      cwd: directory,
      env: { ...env, ...more },
      input,
    })
  stop = () => run(['daemon', 'stop', '--force'])
  const done = async (words: string[]) => {
    const result = await run(words)
    if (result.status !== 0) throw new Error(`pkg ${words.join(' ')}: ${result.stderr}${result.stdout}`)
    return result.stdout
  }
  return {
    directory,
    prefix,
    home,
    env,
    run,
    json: async <T>(...words: string[]) => JSON.parse(await done([...words, '--json'])) as T,
    brief: async (...words) => (await done([...words, '--quiet'])).trim(),
  }
}

/** What a user's shell would have: without the settings that `npm test` gives to all below it. */
function userEnvironment(): NodeJS.ProcessEnv {
  const ours = /^(npm_|NO_COLOR$|PKG_DEBUG$)/i
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)))
}

type ChildOptions = { cwd: string; env: NodeJS.ProcessEnv; input?: string | Uint8Array | undefined }

export function outcome(
  [command = '', ...words]: string[],
  { cwd, env, input }: ChildOptions,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, { cwd, env, stdio: 'pipe' })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    child.once('error', reject)
    child.once('close', (status, signal) => resolve({ status, signal, stdout, stderr }))
  })
}

/** A directory that can be packed: one program, a shell script that says `text` and its arguments. */
export function makeProgram(directory: string, program: string, text: string): string {
  mkdirSync(join(directory, 'bin'), { recursive: true })
  writeFileSync(join(directory, 'bin', program), `#!/bin/sh\necho ${text} "$@"\n`, { mode: 0o755 })
  return directory
}
