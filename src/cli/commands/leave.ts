// `pkg leave`: a plan and its execution; `--dry-run` is the plan. Can be run again after a kill.

import type { Staying } from '../../daemon/leave/leave-prefix.ts'
import { PkgError } from '../../errors.ts'
import { failpoint } from '../../files/failpoint.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { fields, printable, type Style, styleFor, write } from '../show/output.ts'

type Taken = { what: string; path: string }
type Result = { dryRun: boolean; prefix: string; takes: Taken[]; stays: Staying[] }

export const command = defineCommand({
  options: (argv) =>
    argv
      .option('yes', { alias: 'y', type: 'boolean', describe: 'Do not ask' })
      .option('dry-run', { alias: 'n', type: 'boolean', describe: 'Only tell what would be taken away' })
      .option('force', {
        type: 'boolean',
        describe: 'Also while programs run from the store: they may die',
      })
      .example(
        'pkg leave',
        'Shows what goes, and asks: daemon, profile, pins, a prefix of your own, PATH line',
      )
      .example('pkg leave --dry-run', 'Only shows it'),
  async run({ yes = false, dryRun = false, force = false }, context): Promise<Result> {
    const [{ planLeaving }, { planLeavingHome }] = await Promise.all([
      import('../../daemon/leave/leave-prefix.ts'),
      import('../shell/leave-home.ts'),
    ])
    const { paths, signal } = context
    const home = planLeavingHome(context)
    const prefix = await planLeaving(paths, { force })
    const steps = [...home.before, ...prefix.steps, ...home.after]
    const takes = steps.map(({ what, path }) => ({ what, path }))
    const result = { dryRun, prefix: paths.root, takes, stays: [...prefix.stays, ...home.stays] }
    if (dryRun || steps.length === 0) return result
    if (!yes) await ask(result, context)
    for (const { name, run } of steps) {
      signal.throwIfAborted()
      await run()
      failpoint(`leave:${name}`)
    }
    return result
  },
  render(result, style) {
    const { dryRun, takes } = result
    if (takes.length === 0)
      return ['Nothing of pkg’s is there to take away', ...staying(result, style)].join('\n')
    return describe(result, dryRun ? 'Would take away:' : 'Took away:', style)
  },
  brief: ({ takes }) => takes.map(({ path }) => printable(path)).join('\n'),
  afterInterrupt: 'What was not taken away yet is as it was; `pkg leave` goes on from there.',
})

function describe(result: Result, heading: string, style: Style): string {
  return [
    heading,
    fields(
      result.takes.map(({ what, path }) => [what, path]),
      style,
    ),
    ...staying(result, style),
  ].join('\n')
}

function staying({ stays }: Result, style: Style): string[] {
  return stays.map(({ path, why }) => style.dim(`${printable(path)} stays: ${printable(why)}`))
}

/** Throws USAGE where nobody can be asked, and INTERRUPTED for any answer but yes. */
async function ask(result: Result, { json, quiet, signal }: Context): Promise<void> {
  if (json || quiet || !process.stdin.isTTY || !process.stderr.isTTY) {
    throw new PkgError('USAGE', 'nobody can be asked here: nothing was taken away', {
      hint: '`pkg leave --dry-run` shows what would go, `pkg leave --yes` takes it away.',
    })
  }
  const { createInterface } = await import('node:readline/promises')
  await write(process.stderr, `${describe(result, 'This goes:', styleFor(process.stderr))}\n`)
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await terminal.question('Take all of it away? [y/N] ', { signal })
    if (/^y(?:es)?$/i.test(answer.trim())) return
  } finally {
    terminal.close()
  }
  throw new PkgError('INTERRUPTED', 'nothing was taken away')
}
