// Several real users with accounts: processes that all live in one mount namespace of the test's own, whose
// /etc/passwd knows them. What they mount is seen there only, and gone with it.

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Outcome, START } from '../cli/harness.ts'
import { type Owner, temporaryDirectory } from '../helpers/temp.ts'

/** Far from what a machine gives to people. */
export const ANNA = 64_011
export const BERT = 64_012
export const ROOT = 0

const NODE = [process.execPath, '--disable-warning=ExperimentalWarning']

/** Makes the namespace, says so, and lives as long as its standard input. */
const HOLD = 'mount --make-rprivate / && mount --bind "$0" /etc/passwd && echo READY && exec cat'

/** Goes home, and becomes somebody else there; without capabilities, as the kernel does it with root's. */
const AS_USER =
  'cd "$0" && uid="$1" && shift && exec setpriv --reuid "$uid" --regid "$uid" --clear-groups -- "$@"'

export type Person = {
  uid: number
  home: string
  env: NodeJS.ProcessEnv
  /** A process of this user's, in the namespace, at home. */
  spawn(words: string[], options?: SpawnOptions): ChildProcess
  /** Runs a program to its end. */
  run(words: string[]): Promise<Outcome>
  /** `pkg` with these words, in the sources. */
  pkg(...words: string[]): Promise<Outcome>
  /** What it writes under --quiet; throws when it fails. */
  brief(...words: string[]): Promise<string>
}

export type Accounts = {
  directory: string
  prefix: string
  root: Person
  anna: Person
  bert: Person
}

/** The namespace, a home for each user, and the name of a prefix that nobody has made yet. */
export async function accounts(t: Owner): Promise<Accounts> {
  const directory = await temporaryDirectory(t)
  chmodSync(directory, 0o755)
  const prefix = join(directory, 'prefix')
  const passwd = join(directory, 'passwd')
  const names = { anna: ANNA, bert: BERT }
  const lines = Object.entries(names).map(([name, uid]) => `pkg-${name}:x:${uid}:${uid}::/:/bin/sh\n`)
  writeFileSync(passwd, readFileSync('/etc/passwd', 'utf8') + lines.join(''), { mode: 0o644 })
  const holder = spawn('unshare', ['-m', '/bin/sh', '-c', HOLD, passwd], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const children = new Set<ChildProcess>()
  t.after(async () => {
    for (const child of children) child.kill('SIGKILL')
    holder.stdin.end()
    if (holder.exitCode === null) await once(holder, 'exit')
  })
  const [ready] = await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit')])
  if (!String(ready).includes('READY')) throw new Error('no mount namespace could be made')
  const become = (name: string, uid: number) =>
    person({ directory, prefix, name, uid, children, namespace: `/proc/${holder.pid}/ns/mnt` })
  return {
    directory,
    prefix,
    root: become('root', ROOT),
    anna: become('anna', ANNA),
    bert: become('bert', BERT),
  }
}

type Who = Record<'directory' | 'prefix' | 'name' | 'namespace', string> & {
  uid: number
  /** those that still run */
  children: Set<ChildProcess>
}

function person({ directory, prefix, name, uid, namespace, children }: Who): Person {
  const home = join(directory, name)
  mkdirSync(home, { mode: 0o700 })
  chownSync(home, uid, uid)
  const temp = join(home, 'tmp')
  mkdirSync(temp, { mode: 0o700 })
  chownSync(temp, uid, uid)
  const { NO_COLOR: _, PKG_DEBUG: __, ...inherited } = process.env
  const env = { ...inherited, HOME: home, TMPDIR: temp, PKG_PREFIX: prefix, SHELL: '/bin/bash', CI: '1' }
  const start = (words: string[], options: SpawnOptions = {}) => {
    const [command, ...rest] = words as [string, ...string[]]
    const who =
      uid === 0
        ? ['/bin/sh', '-c', 'cd "$0" && exec "$@"', home]
        : ['/bin/sh', '-c', AS_USER, home, String(uid)]
    const args = [`--mount=${namespace}`, '--', ...who, command, ...rest]
    const child = spawn('nsenter', args, { env, stdio: 'pipe', ...options })
    children.add(child)
    child.once('exit', () => children.delete(child))
    return child
  }
  const run = (words: string[]) => outcomeOf(start(words))
  const pkg = (...words: string[]) => run([...NODE, START, ...words])
  return {
    uid,
    home,
    env,
    spawn: start,
    run,
    pkg,
    async brief(...words) {
      const { status, stdout, stderr } = await pkg(...words, '--quiet')
      if (status !== 0) throw new Error(`pkg ${words.join(' ')} of ${name}: ${stderr}${stdout}`)
      return stdout.trim()
    },
  }
}

function outcomeOf(child: ChildProcess): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    let stdout = ''
    let stderr = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    child.stdin?.end()
    child.once('error', reject)
    child.once('close', (status, signal) => resolve({ status, signal, stdout, stderr }))
  })
}
