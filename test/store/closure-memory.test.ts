// A walk's memory is bounded by what the blocks take, not by how many links they have.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { type CID, RAW } from '../../src/store/cid.ts'
import { LinkStack } from '../../src/store/link-stack.ts'
import { Dag } from '../fixtures/dag.ts'

/** Walks nested directories of 100,000 names each: 800,000 links in 8 blocks. */
const WALK = `
import { closure } from '${import.meta.resolve('../../src/store/closure.ts')}'
import { linksOf } from '${import.meta.resolve('../../src/store/links.ts')}'
import { widestDirectories } from '${import.meta.resolve('../fixtures/hostile-dags.ts')}'
import { Dag } from '${import.meta.resolve('../fixtures/dag.ts')}'
const dag = new Dag()
const root = widestDirectories(dag, 8)
let blocks = 0
for (const _ of closure({ children: (cid) => linksOf(cid, dag.get(cid)) }, [root])) blocks += 1
console.log(blocks)
`

test('blocks full of links, one in the other, are walked in little memory', () => {
  const node = ['--max-old-space-size=128', '--input-type=module', '-e', WALK]
  const { status, stdout, stderr } = spawnSync(process.execPath, node, { encoding: 'utf8' })
  assert.equal(status, 0, stderr.slice(0, 500))
  assert.equal(stdout.trim(), '9')
})

test('links that were let go come again where the walk had come to', () => {
  const dag = new Dag()
  const leaves = Array.from({ length: 60_000 }, (_, n) => dag.raw(`${n % 1000}`))
  const wide = (last: CID) => [...leaves, last]
  const levels = Array.from({ length: 12 }, (_, n) => dag.raw(`level ${n}`))
  const children = new Map(levels.slice(0, -1).map((cid, n) => [cid.toString(), wide(levels[n + 1]!)]))
  let reads = 0
  const stack = new LinkStack([levels[0]!, levels[0]!], (cid) => {
    reads += 1
    // The next level stands first, so that the walk has to come back to all the others.
    return children.get(cid.toString())?.toReversed() ?? []
  })
  const seen: number[] = []
  let entered = 0
  for (let cid = stack.next(); cid !== undefined; cid = stack.next()) {
    seen.push(cid.code)
    if (entered < 11 && cid.equals(levels[entered]!)) {
      entered += 1
      stack.enter(cid)
    }
  }
  assert.equal(seen.length, 2 + 11 * 60_001)
  assert.ok(seen.every((code) => code === RAW))
  assert.ok(reads > 11, 'some were let go')
})
