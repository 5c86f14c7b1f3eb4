// A process that looks at links on file systems that may not answer (hung-mounts.ts): its argument is their paths,
// each is told by its number before it is looked at, and `null` when all are.

import { lstatSync, readlinkSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'

const links = JSON.parse(process.argv[2] ?? '') as string[]
const say = (line: unknown) => writeSync(1, `${JSON.stringify(line)}\n`)

for (const [index, link] of links.entries()) {
  say(index)
  try {
    // The kernel may know the link, but knows of no such name.
    lstatSync(join(dirname(link), `.pkg-${process.pid}-${process.hrtime.bigint()}`), {
      throwIfNoEntry: false,
    })
    readlinkSync(link)
  } catch {
    // An answer.
  }
}
say(null)
