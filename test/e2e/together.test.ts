// Many at once: installs into one profile, and imports beside a running collector.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { makeProgram } from '../cli/harness.ts'
import { machine } from './machine.ts'

const MANY = 20
const numbers = Array.from({ length: MANY }, (_, index) => index)
const box = await machine({ after })

test(`${MANY} installs at once into one profile all take effect`, async () => {
  const cids: string[] = []
  for (const n of numbers) {
    const directory = join(box.directory, `p${n}`)
    mkdirSync(directory)
    cids.push(await box.pack(makeProgram(directory, `p${n}`, `${n}`), `p${n}@1.0.0`))
  }
  await Promise.all(cids.map((cid) => box.pkg('install', cid)))
  for (const n of numbers) assert.equal(box.run(`p${n}`).trim(), `${n}`)
  const { generations } = JSON.parse(await box.pkg('history', '--json')) as { generations: unknown[] }
  assert.equal(generations.length, MANY)
})

test(`${MANY} imports beside running collections lose nothing`, async () => {
  // A common part, so that imports meet blocks that the collector is about to take.
  const common = randomBytes(20_000)
  const trees = numbers.map((n) => {
    const tree = join(box.directory, `tree${n}`)
    mkdirSync(tree)
    writeFileSync(join(tree, 'common'), common)
    for (let file = 0; file < 20; file++) writeFileSync(join(tree, `f${file}`), `${n % 4} ${file}\n`)
    writeFileSync(join(tree, 'own'), `${n}`)
    return tree
  })
  await Promise.all(trees.map((tree) => box.pkg('store', 'add', tree)))
  let adding = true
  const collections = (async () => {
    while (adding) await box.pkg('gc')
  })()
  const added = await Promise.all(
    trees.map(async (tree, n) => {
      const text = await box.pkg('store', 'add', tree, '--pin', `tree${n}`, '--json')
      return (JSON.parse(text) as { cid: string }).cid
    }),
  ).finally(() => {
    adding = false
  })
  await collections
  await box.pkg('gc')
  for (const [n, cid] of added.entries()) {
    await box.pkg('store', 'checkout', cid)
    assert.deepEqual(readFileSync(box.store(cid, 'common')), common)
    assert.equal(readFileSync(box.store(cid, 'own'), 'utf8'), `${n}`)
    for (let file = 0; file < 20; file++) {
      assert.equal(readFileSync(box.store(cid, `f${file}`), 'utf8'), `${n % 4} ${file}\n`)
    }
  }
  assert.match(await box.pkg('store', 'verify'), /all good/)
})
