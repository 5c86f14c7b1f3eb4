// A walk lets go of links where it holds many, and reads them again (what it takes then: wide-memory.test.ts).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blockKey, type CID, RAW } from '../../src/store/cid.ts'
import { LinkStack } from '../../src/store/links/link-stack.ts'
import { packLinks } from '../../src/store/links/packed-links.ts'
import { Dag } from '../fixtures/dag.ts'

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
    return packLinks(children.get(cid.toString())?.toReversed() ?? [])
  })
  const seen: number[] = []
  let entered = 0
  while (stack.next()) {
    seen.push(stack.codec)
    if (entered < 11 && stack.key === blockKey(levels[entered]!)) {
      entered += 1
      stack.enter(stack.cid)
    }
  }
  assert.equal(seen.length, 2 + 11 * 60_001)
  assert.ok(seen.every((code) => code === RAW))
  assert.ok(reads > 11, 'some were let go')
})
