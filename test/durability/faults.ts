// Commands of the real `pkg` whose nth change of the disk fails, for want of room, by a
// broken disk or one that became read-only: fault.c makes it so, in all processes of a
// command. Whatever the point, the error is a clear one with the exit status that the
// manual gives it (native-notes/cli.md), nothing that was there is lost, and the next try succeeds.

import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { findSystemCommand } from '../../src/files/system-command.ts'
import { type Outcome, outcome } from '../cli/harness.ts'
import { type Owner, temporaryDirectory } from '../helpers/temp.ts'
import { checkPrefix } from '../stress/checker.ts'
import { bytesOf, writeProgram, writeTree } from '../stress/content.ts'

/** Why calls cannot be made to fail here; false where they can. */
export const NO_FAULTS =
  findSystemCommand('cc') === undefined ? 'there is no C compiler, which an exact fault takes' : false

/** errno-base.h, and what `pkg` may end with: the table of native-notes/cli.md. 0 is a step that the command does without. Some have one more: see `try`. */
export const FAULTS = {
  ENOSPC: { errno: 28, env: {}, status: [0, 9] },
  EDQUOT: { errno: 122, env: {}, status: [0, 9] },
  EIO: { errno: 5, env: { PKG_TEST_FAULT_ONCE: '1', PKG_TEST_FAULT_REMOVE: '1' }, status: [0, 4] },
  EROFS: { errno: 30, env: { PKG_TEST_FAULT_REMOVE: '1' }, status: [0, 7] },
} as const

export type FaultName = keyof typeof FAULTS

export const COMMANDS = [
  'install',
  'store add',
  'pack',
  'publish',
  'registry update',
  'rollback',
  'gc',
  'daemon start',
] as const

export type CommandName = (typeof COMMANDS)[number]

type Ran = Outcome & {
  /** changes of the disk that were tried */
  count: number
  /** those that failed: number, call, path */
  failed: string[]
}

export class FaultyMachine {
  readonly directory: string
  readonly prefix: string
  readonly registry: string
  readonly #launcher: string
  readonly #shim: string
  readonly #env: NodeJS.ProcessEnv
  #fresh = 0

  private constructor(directory: string, launcher: string, shim: string) {
    // What may fail is below this directory; home and sources are not.
    this.directory = directory
    this.prefix = join(directory, 'disk', 'prefix')
    this.registry = join(directory, 'disk', 'registry')
    this.#launcher = launcher
    this.#shim = shim
    this.#env = { ...process.env, HOME: join(directory, 'home'), PKG_PREFIX: this.prefix, CI: '1' }
  }

  /** A machine with a prefix in use: pins, generations, a registry that is subscribed to, a daemon. */
  static async make(t: Owner, launcher: string): Promise<FaultyMachine> {
    let stop: () => unknown = () => {}
    t.after(() => stop())
    const directory = await temporaryDirectory(t)
    for (const name of ['disk', 'home']) mkdirSync(join(directory, name))
    const shim = join(directory, 'fault.so')
    const source = join(import.meta.dirname, 'fault.c')
    execFileSync(findSystemCommand('cc')!, ['-shared', '-fPIC', '-O1', '-o', shim, source, '-ldl'])
    const machine = new FaultyMachine(directory, launcher, shim)
    stop = () => machine.run(['daemon', 'stop', '--force'])
    await machine.do('init')
    await machine.do('registry', 'create', machine.registry)
    await machine.do('registry', 'add', 'main', machine.registry)
    for (const name of ['install', 'install', 'store add', 'publish', 'gc'] as const) {
      await machine.do(...(await machine.prepare(name)))
    }
    return machine
  }

  run(words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
    return outcome([this.#launcher, ...words], { cwd: this.directory, env: { ...this.#env, ...env } })
  }

  /** Runs it without a fault; throws when it fails. */
  async do(...words: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.run(words)
    if (status !== 0) throw new Error(`pkg ${words.join(' ')} ended with ${status}: ${stderr}${stdout}`)
    return stdout.trim()
  }

  /** The words of a command that has something new to do. */
  async prepare(name: CommandName): Promise<string[]> {
    const n = this.#fresh++
    const work = join(this.directory, 'work')
    const program = (version: string) => {
      rmSync(join(work, 'program'), { recursive: true, force: true })
      writeTree(join(work, 'program'), new Map([['share/own', bytesOf(`own ${n}`, 3000)]]))
      return writeProgram(join(work, 'program'), 'tool', version)
    }
    if (name === 'install') return ['install', program(`1.0.${n}`), '--as', `tool@1.0.${n}`]
    if (name === 'pack') return ['pack', program(`2.0.${n}`), '--as', `tool@2.0.${n}`]
    if (name === 'publish' || name === 'registry update') {
      const cid = await this.do('pack', program(`3.0.${n}`), '--as', `tool@3.0.${n}`, '--quiet')
      const words = ['publish', cid, '--registry', this.registry]
      if (name === 'publish') return words
      await this.do(...words)
      return ['registry', 'update']
    }
    if (name === 'store add') {
      const files = Array.from({ length: 12 }, (_, f) => [`f${f}`, bytesOf(`${n} ${f}`, 900 * f)] as const)
      return ['store', 'add', writeTree(join(work, `tree${n}`), new Map(files)), '--pin', 'tree']
    }
    if (name === 'gc') {
      await this.do('store', 'add', program(`4.0.${n}`))
      return ['gc', '--keep', '2']
    }
    if (name === 'daemon start') await this.do('daemon', 'stop', '--force')
    else await this.do(...(await this.prepare('install')))
    return name.split(' ')
  }

  /** Runs a command whose change number `at` fails; none with 0. */
  async runFaulty(words: readonly string[], fault: FaultName, at: number): Promise<Ran> {
    const counter = join(this.directory, 'counter')
    writeFileSync(counter, Buffer.alloc(8))
    rmSync(`${counter}.log`, { force: true })
    const { errno, env } = FAULTS[fault]
    const ran = await this.run(words, {
      ...env,
      LD_PRELOAD: this.#shim,
      PKG_TEST_FAULT_BELOW: join(this.directory, 'disk'),
      PKG_TEST_FAULT_COUNTER: counter,
      PKG_TEST_FAULT_AT: String(at),
      PKG_TEST_FAULT_ERRNO: String(errno),
    })
    const count = Number(readFileSync(counter).readBigInt64LE())
    const log = existsSync(`${counter}.log`) ? readFileSync(`${counter}.log`, 'utf8') : ''
    return { ...ran, count, failed: log.split('\n').filter(Boolean) }
  }

  /** How many changes of the disk a command tries. */
  async changesOf(name: CommandName, fault: FaultName): Promise<number> {
    const { count } = await this.runFaulty(await this.prepare(name), fault, 0)
    return count
  }

  /** One point: what is wrong with how the command took it. */
  async try(name: CommandName, fault: FaultName, at: number): Promise<{ wrong: string[]; hit: boolean }> {
    const words = await this.prepare(name)
    const before = this.links()
    const ran = await this.runFaulty(words, fault, at)
    const where = `pkg ${words.join(' ')} with ${fault} from ${ran.failed[0] ?? 'nothing'}`
    const wrong: string[] = []
    if (name === 'daemon start') await this.run(['daemon', 'stop', '--force'])
    const more: Partial<Record<CommandName, number>> = { 'daemon start': 8, 'registry update': 4 }
    const statuses: (number | undefined)[] = [...FAULTS[fault].status, more[name]]
    if (!statuses.includes(ran.status ?? -1)) wrong.push(`ended with ${ran.status}: ${ran.stderr}`)
    // What a registry's update came to is a result, and not an error.
    const said = name === 'registry update' ? ran.stdout + ran.stderr : ran.stderr
    if (ran.status !== 0 && !/^.*\S:? \S/m.test(said)) wrong.push(`said no more than ${said}`)
    if (/^ {4}at /m.test(ran.stderr)) wrong.push(`said ${ran.stderr}`)
    const after = this.links()
    for (const [link, target] of before) {
      const isSuperseded =
        (name === 'gc' && link.includes('/generations/')) ||
        // The pin of the root that was in force before.
        (name === 'registry update' && link.includes('/registry-main/'))
      if (!after.has(link) && !isSuperseded) wrong.push(`lost ${link} -> ${target}`)
    }
    wrong.push(...checkPrefix(this.prefix))
    // It may have switched before the fault, and there is no going back twice.
    const again = await this.run(name === 'rollback' ? await this.prepare(name) : words)
    if (again.status !== 0)
      wrong.push(`afterwards, without a fault, ended with ${again.status}: ${again.stderr}`)
    wrong.push(...checkPrefix(this.prefix))
    return { wrong: wrong.map((one) => `${where}: ${one}`), hit: ran.failed.length > 0 }
  }

  /** Pins and generations, with where they lead. */
  links(): Map<string, string> {
    const links = new Map<string, string>()
    for (const top of ['pins/per-user', 'profiles/per-user']) {
      const root = join(this.prefix, top)
      for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
        const path = join(entry.parentPath, entry.name)
        if (entry.isSymbolicLink() && /\/(b[a-z2-7]{50,}|\d+|current)$/.test(path))
          links.set(path, readlinkSync(path))
      }
    }
    return links
  }
}
