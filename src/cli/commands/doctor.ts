// `pkg doctor`: what this machine lacks, and how to mend it. Changes nothing.

import type { Check } from '../../daemon/doctor/doctor.ts'
import { EXIT } from '../../errors.ts'
import { defineCommand } from '../command.ts'
import { count, printable, table } from '../show/output.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .example('pkg doctor', 'What this machine lacks, and how to mend it')
      .epilogue(
        'Exit status: 0, or that of the worst finding: 4 damaged, 2 wrong settings, 7 not permitted, 9 no space, 8 no mount or daemon (in this order).',
      ),
  async run(_args, { paths, env }) {
    const [{ runDoctor }, { startCheck }] = await Promise.all([
      import('../../daemon/doctor/doctor.ts'),
      import('../shell/login-start.ts'),
    ])
    const checks = [...(await runDoctor(paths, { env })), ...[startCheck(paths, env) ?? []].flat()]
    return { ok: checks.every(({ ok }) => ok !== false), prefix: paths.root, checks }
  },
  render({ ok, checks }, style) {
    const marks = { true: style.green('ok'), note: style.yellow('note'), false: style.red('NO') }
    const rows = checks.flatMap(({ ok: fine, name, detail, hint }) => {
      const row = [marks[`${fine}`], style.bold(name), printable(detail)]
      return hint === undefined || fine === true ? [row] : [row, ['', '', printable(hint)]]
    })
    const problems = checks.filter(({ ok: fine }) => fine === false).length
    const end = ok ? style.green('Nothing is in the way') : style.red(count(problems, 'problem'))
    return `${table([], rows, { style })}\n${end}`
  },
  brief: ({ checks }) =>
    checks
      .filter(({ ok }) => ok === false)
      .map(({ name }) => name)
      .join('\n'),
  exitStatus: ({ checks }) => worst(checks),
})

/** What was lost is worst, then what stops every command, then what stops some. */
const WORST_FIRST = [EXIT.damaged, EXIT.usage, EXIT.permission, EXIT.noSpace, EXIT.unavailable]

/** The exit status of the worst of these findings. */
export function worst(checks: readonly Pick<Check, 'ok' | 'exit'>[]): number {
  const found = checks.flatMap(({ ok, exit = EXIT.unavailable }) => (ok === false ? [exit] : []))
  return WORST_FIRST.find((status) => found.includes(status)) ?? found[0] ?? EXIT.ok
}
