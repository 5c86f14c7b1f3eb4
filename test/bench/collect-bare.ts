// What deleting files costs by itself: makes so many small ones, spread as blocks
// are, and prints the milliseconds of unlinking them. argv: a directory, how many.

import { mkdirSync, unlinkSync, writeFileSync } from 'node:fs'
import { shardNames } from '../../src/store/blocks/shards.ts'

const [directory, count] = process.argv.slice(2)
const shards = shardNames()
for (const shard of shards) mkdirSync(`${directory}/${shard}`)
const files = Array.from({ length: Number(count) }, (_, index) => {
  const shard = shards[Math.floor((index * shards.length) / Number(count))]
  return `${directory}/${shard}/bafkrei-as-long-as-the-name-of-a-block-is-that-is-${index}`
})
for (const file of files) writeFileSync(file, 'a small block\n'.repeat(16))
const began = performance.now()
for (const file of files) unlinkSync(file)
console.log(performance.now() - began)
