// `pkg doctor`: what this machine lacks, and how to mend it. Changes nothing.

import { EXIT } from '../../errors.ts'
import { defineCommand } from '../command.ts'
import { count, printable, table } from '../output.ts'

export const command = defineCommand({
  options: (argv) =>
    argv.example('pkg doctor', 'Ends with status 8 when something is missing that is needed'),
  async run(_args, { paths, env }) {
    const { runDoctor } = await import('../../daemon/doctor.ts')
    const checks = await runDoctor(paths, { env })
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
  exitStatus: ({ ok }) => (ok ? EXIT.ok : EXIT.unavailable),
})
