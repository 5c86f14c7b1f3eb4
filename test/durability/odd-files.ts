// A prefix of which any one file or directory is something else: what every command then
// says, in which time. Run as its owner, to whom modes apply.

import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { EXIT } from '../../src/errors.ts'
import { makeProgram, START } from '../cli/harness.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { commandsOf, type Kind, makeOdd, type Prefix, removeTree } from './odd-places.ts'

/** Milliseconds that a command may take: it waits a minute for a lock that somebody seems to hold. */
const BOUND_MS = 90_000

type Outcome = { status: number | null; stdout: string; stderr: string; ms: number }

/** A prefix with a pin, a profile of two generations, a registry, checkouts, an index and the note of a collection. */
export async function makeOddTemplate(t: Parameters<typeof temporaryDirectory>[0]): Promise<Prefix> {
  const directory = await temporaryDirectory(t)
  const root = join(directory, 'prefix')
  const env = { ...process.env, PKG_PREFIX: root, HOME: join(directory, 'home'), CI: '1', NO_COLOR: '1' }
  mkdirSync(env.HOME)
  const prefix: Prefix = { directory, root, user: userInfo().username, cid: '', cids: [], env }
  const run = async (...words: string[]) => {
    const { status, stdout, stderr } = await pkg(prefix, [...words, '--quiet'])
    if (status !== 0) throw new Error(`pkg ${words.join(' ')}: ${stderr}`)
    return stdout.trim()
  }
  mkdirSync(root)
  writeFileSync(join(root, 'config.json'), '{"store.mode":"checkout"}')
  for (const name of ['one', 'two']) {
    const source = makeProgram(join(directory, name), name, name)
    prefix.cids.push(await run('pack', source, '--as', `${name}@1.0.0`))
  }
  await run('registry', 'create', join(directory, 'reg'))
  await run('publish', prefix.cids[0] as string, '--registry', join(directory, 'reg'))
  await run('registry', 'add', 'main', join(directory, 'reg'))
  for (const cid of prefix.cids) await run('install', cid)
  writeFileSync(join(directory, 'file'), 'content')
  mkdirSync(join(directory, 'many'))
  for (let file = 0; file < 100; file++) writeFileSync(join(directory, 'many', `${file}`), `many ${file}`)
  prefix.cid = await run('store', 'add', join(directory, 'file'), '--pin', 'kept')
  await run('gc')
  for (const name of ['pkg.log', 'pkg.log.1', 'quarantine/x', 'daemon.pid', 'mount.pid']) {
    writeFileSync(join(root, 'var', name), '')
  }
  return prefix
}

/** Another prefix like it. */
function copyOf(prefix: Prefix, name: string): Prefix {
  const root = join(prefix.directory, name)
  execFileSync('cp', ['-a', prefix.root, root])
  return { ...prefix, root, env: { ...prefix.env, PKG_PREFIX: root } }
}

/** Puts it there in a prefix of its own, runs the command; what is wrong with how that ended, or undefined. */
export async function tryOdd(
  template: Prefix,
  place: string,
  kind: Kind,
  command: string,
): Promise<string | undefined> {
  copies += 1
  const prefix = copyOf(template, `copy-${copies}`)
  try {
    if (!makeOdd(join(prefix.root, place), kind)) return undefined
    const wrong = complaint(prefix, await pkg(prefix, commandsOf(prefix)[command] as string[]))
    return wrong && `${place}, ${kind}: pkg ${command}: ${wrong}`
  } finally {
    // Its directory is gone then, and so it ends; killed already where it could be.
    if (command === 'start') await pkg(prefix, ['daemon', 'stop', '--force'])
    removeTree(prefix.root)
  }
}

let copies = 0

/** Runs it as the owner of the prefix without root's rights; killed at the bound. */
function pkg(prefix: Prefix, words: string[]): Promise<Outcome> {
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', START, ...words]
  const line =
    process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-all', '--inh-caps=-all', ...node] : node
  const [command, ...args] = line as [string, ...string[]]
  const began = performance.now()
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: prefix.directory,
      env: prefix.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: BOUND_MS,
      killSignal: 'SIGKILL',
    })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text
    })
    child.once('error', reject)
    child.once('close', (status) => resolve({ status, stdout, stderr, ms: performance.now() - began }))
  })
}

/** What is wrong with how a command ended; undefined when nothing is: a documented status, and a path or CID that is named. */
function complaint(prefix: Prefix, { status, stdout, stderr }: Outcome): string | undefined {
  if (status === null) return 'it hung'
  if (status === EXIT.internal || /internal error/.test(stderr + stdout))
    return `internal error: ${stderr.split('\n')[0]}`
  if (!Object.values(EXIT).some((one) => one === status)) return `status ${status}`
  if (status === 0) return undefined
  const said = stdout + stderr
  if (said.trim() === '') return 'it said nothing'
  // What an emptied profile or registry lacks is told in other words.
  if (![EXIT.damaged, EXIT.conflict, EXIT.busy, EXIT.permission].some((one) => one === status))
    return undefined
  return said.includes(prefix.root) || /\bbaf[a-z0-9]{50}/.test(said)
    ? undefined
    : `no path: ${stderr.split('\n')[0]}`
}
