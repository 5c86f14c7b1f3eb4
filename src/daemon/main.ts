// The daemon's process: `--prefix DIR` names what it serves. What goes wrong
// before there is a log goes to stderr, which the starter points at the log too.

import { parseArgs } from 'node:util'
import { exitStatusOf } from '../errors.ts'
import { endOnFatal } from '../files/fatal.ts'
import { fixUmask } from '../files/modes.ts'
import { resolvePrefix } from '../paths.ts'
import { endOfSignals, runDaemon } from './daemon.ts'

const { values } = parseArgs({ options: { prefix: { type: 'string' } } })

endOnFatal('daemon')
fixUmask()
try {
  await runDaemon(values.prefix ?? resolvePrefix(), endOfSignals())
} catch (error) {
  process.stderr.write(`daemon: ${error instanceof Error ? error.message : error}\n`)
  process.exitCode = exitStatusOf(error)
}
