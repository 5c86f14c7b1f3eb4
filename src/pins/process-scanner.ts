// A process that reads others (process-scan.ts): its argument is the query, its
// output the lines, as NDJSON, `null` the last. Whoever started it leaves it where
// it waits: nothing here may be worth waiting for.

import { writeSync } from 'node:fs'
import { type ScanQuery, scanProcesses } from './process-scan.ts'

const query = JSON.parse(process.argv[2] ?? '') as ScanQuery

// Written at once: what is still to be written when the next read waits for ever is never told.
const say = (line: unknown) => writeSync(1, `${JSON.stringify(line)}\n`)

scanProcesses(query, say)
say(null)
