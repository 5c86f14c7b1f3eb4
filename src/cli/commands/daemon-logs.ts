// `pkg daemon logs`: the log that the daemon and the mount server share.

import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { printable, toJson, write } from '../show/output.ts'
import { reading, wholeNumber } from '../words/values.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .option('lines', {
        alias: 'n',
        type: 'string',
        default: 50,
        coerce: reading(wholeNumber(0)),
        describe: 'How many of the last lines',
      })
      .option('follow', { alias: 'f', type: 'boolean', describe: 'Go on until Ctrl-C' })
      .example('pkg daemon logs -f', 'Watch what it does'),
  async run({ lines, follow = false }, context) {
    const { tailLog } = await import('../../daemon/log.ts')
    if (follow) return await followTo(context, lines)
    return { file: context.paths.log, lines: lines === 0 ? [] : tailLog(context.paths.log, lines) }
  },
  render({ lines, file }, style, { lines: asked }) {
    if (asked === 0) return undefined
    return lines.length > 0 ? lines.map(printable).join('\n') : style.dim(`${file} is empty`)
  },
  brief: ({ lines }) => lines.map(printable).join('\n'),
})

/** Writes lines as they come: there is no result to wait for. */
async function followTo({ paths, signal, json }: Context, lines: number): Promise<never> {
  const { followLog } = await import('../../daemon/log.ts')
  for await (const line of followLog(paths.log, lines, signal)) {
    await write(process.stdout, json ? `${toJson({ line })}\n` : `${printable(line)}\n`)
  }
  throw signal.reason
}
