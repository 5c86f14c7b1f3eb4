// kill -9 at random instants, under load: commands, collectors, the daemon and the
// mount server. After each one an independent checker looks at the prefix, and what
// was reported done has to be there. KILLS says how many, SEED repeats a run.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { LAUNCHER } from '../cli/harness.ts'
import { type Machine, machine, NO_MOUNT } from '../e2e/machine.ts'
import { checkPrefix } from './checker.ts'
import { randomOf, SEED } from './random.ts'

const KILLS = Number(process.env.KILLS ?? 150)
const PROGRAMS = 6
/** The longest a command is let run before it is killed, in ms: most end within that when nothing is in the way. */
const LONGEST_MS = 700

const random = randomOf(SEED)
const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!

type Program = { name: string; directory: string; cids: string[] }

async function makePrograms(box: Machine): Promise<Program[]> {
  const programs: Program[] = []
  for (let n = 0; n < PROGRAMS; n++) {
    const name = `p${n}`
    const cids: string[] = []
    const directory = join(box.directory, name)
    mkdirSync(join(directory, 'bin'), { recursive: true })
    for (const version of ['1.0.0', '2.0.0']) {
      writeFileSync(join(directory, 'bin', name), `#!/bin/sh\necho ${name} ${version}\n`, { mode: 0o755 })
      for (let file = 0; file < 30; file++) {
        writeFileSync(join(directory, `data${file}`), `${file % 10} ${file < 15 ? version : ''}`)
      }
      cids.push(await box.pack(directory, `${name}@${version}`))
    }
    programs.push({ name, directory, cids })
  }
  return programs
}

/** Runs a command and kills it after a random time, unless it ends before; says whether it reported success. */
async function runAndKill(box: Machine, words: string[]): Promise<boolean> {
  const child = spawn(LAUNCHER, words, { cwd: box.directory, env: box.env, stdio: 'ignore' })
  const ended = once(child, 'exit') as Promise<[number | null]>
  const won = await Promise.race([ended, delay(random() * LONGEST_MS, undefined, { ref: false })])
  if (won === undefined) child.kill('SIGKILL')
  const [status] = await ended
  return status === 0
}

function killByPidFile(box: Machine, file: string): void {
  const path = join(box.prefix, 'var', file)
  if (!existsSync(path)) return
  try {
    process.kill(Number(readFileSync(path, 'latin1').split('\n')[0]), 'SIGKILL')
  } catch {
    // It is dead already, and its file a leftover.
  }
}

async function installed(box: Machine): Promise<Map<string, string>> {
  const { packages } = JSON.parse(await box.pkg('list', '--json')) as {
    packages: { name: string; version: string }[]
  }
  return new Map(packages.map(({ name, version }) => [name, version]))
}

test(`${KILLS} kills, seed ${SEED}: no violation`, { skip: NO_MOUNT, timeout: 3_600_000 }, async (t) => {
  const box = await machine(t)
  const programs = await makePrograms(box)
  const commands: (() => { words: string[]; done?: () => Promise<void> })[] = [
    () => {
      const { name, cids } = pick(programs)
      const version = pick([0, 1])
      return {
        words: ['install', cids[version]!],
        done: async () => assert.equal((await installed(box)).get(name), `${version + 1}.0.0`),
      }
    },
    () => {
      const { name } = pick(programs)
      return { words: ['remove', name], done: async () => assert.ok(!(await installed(box)).has(name)) }
    },
    () => ({ words: ['rollback'] }),
    () => ({ words: ['gc', '--keep', '3'] }),
    () => ({ words: ['gc'] }),
    () => ({ words: ['store', 'add', pick(programs).directory, '--pin', 'stress'] }),
    () => ({ words: ['pin', 'remove', 'stress'] }),
  ]
  for (let kill = 0; kill < KILLS; kill++) {
    const one = pick(commands)()
    const beside = pick(commands)()
    const [succeeded] = await Promise.all([
      runAndKill(box, one.words),
      // What runs beside only reads and collects: two changes at once could not be told apart afterwards.
      runAndKill(box, beside.words[0] === 'gc' ? beside.words : ['gc']),
    ])
    if (random() < 0.15) killByPidFile(box, 'daemon.pid')
    if (random() < 0.15) killByPidFile(box, 'mount.pid')
    assert.deepEqual(checkPrefix(box.prefix), [], `after kill ${kill} at ${one.words.join(' ')}`)
    if (succeeded) await one.done?.()
  }
  await box.pkg('daemon', 'start')
  for (const [name, version] of await installed(box)) assert.equal(box.run(name).trim(), `${name} ${version}`)
  await box.pkg('gc')
  assert.deepEqual(checkPrefix(box.prefix), [])
})
