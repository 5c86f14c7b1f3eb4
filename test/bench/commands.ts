// How long commands take, in starts of Node: `pkg` by its launcher, against
// `node -e 0` by the Node that the launcher takes.

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inTurns, outputOf, timeOf } from './measure.ts'
import { type PrefixInUse, prefixInUse } from './prefix-in-use.ts'
import { launcher } from './product.ts'
import type { Row } from './table.ts'
import type { Work } from './work.ts'

const ROUNDS = 15

type Command = {
  words: string[]
  limit: number
  /** makes what the command then does again; not timed */
  before?: string[][]
}

/** Three packages are installed, each in a generation of its own. */
const COMMANDS: Command[] = [
  { words: ['list'], limit: 4 },
  { words: ['install', 'present'], limit: 8, before: [['remove', 'present']] },
  {
    words: ['rollback'],
    limit: 4,
    before: [
      ['switch', '1'],
      ['switch', '2'],
    ],
  },
]

export async function benchCommands(work: Work): Promise<Row[]> {
  const prefix = prefixInUse(work)
  if (prefix === undefined) return []
  const pkg = (...words: string[]) => outputOf([launcher(work), ...words], prefix)
  pkg('registry', 'create', 'reg')
  for (const name of ['tool', 'other', 'present']) {
    const cid = pkg('pack', makePackage(prefix, name), '--as', `${name}@1.0.0`, '--quiet').trim()
    pkg('publish', cid, '--registry', 'reg')
  }
  pkg('registry', 'add', 'main', 'reg')
  for (const name of ['tool', 'other', 'present']) pkg('install', name)
  const rows: Row[] = []
  for (const { words, limit, before = [] } of COMMANDS) {
    const ours = () => {
      for (const step of before) pkg(...step)
      return timeOf([launcher(work), ...words], prefix)
    }
    ours()
    const pairs = await inTurns(ROUNDS, {
      ours,
      reference: () => timeOf([process.execPath, '-e', '0'], prefix),
    })
    rows.push({ title: `pkg ${words.join(' ')}`, ...pairs, against: 'node -e 0', limit })
  }
  return rows
}

/** A program and some files beside it. */
function makePackage({ cwd }: PrefixInUse, name: string): string {
  const directory = join(cwd, `package-${name}`)
  mkdirSync(join(directory, 'bin'), { recursive: true })
  mkdirSync(join(directory, 'lib'))
  writeFileSync(join(directory, 'bin', name), `#!/bin/sh\necho ${name} "$@"\n`)
  chmodSync(join(directory, 'bin', name), 0o755)
  for (let index = 0; index < 50; index++)
    writeFileSync(join(directory, 'lib', `${index}`), `${name} ${index}`)
  return directory
}
