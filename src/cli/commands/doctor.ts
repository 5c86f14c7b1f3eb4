// `pkg doctor`: what this machine lacks, and how to mend it. Changes nothing.

import { EXIT } from '../../errors.ts'
import { defineCommand } from '../command.ts'
import { printable } from '../output.ts'

export const command = defineCommand({
  options: (argv) =>
    argv.example('pkg doctor', 'Ends with status 8 when something is missing that is needed'),
  async run(_args, { paths, env }) {
    const { runDoctor } = await import('../../daemon/doctor.ts')
    const checks = await runDoctor(paths, { env })
    return { ok: checks.every(({ ok }) => ok !== false), prefix: paths.root, checks }
  },
  render({ ok, checks }, style) {
    const lines = checks.flatMap(({ ok: fine, name, detail, hint }) => {
      const mark =
        fine === true ? style.green('ok') : fine === 'warning' ? style.yellow('!!') : style.red('NO')
      const line = `${mark}  ${style.bold(name)}  ${printable(detail)}`
      return hint === undefined || fine === true ? [line] : [line, `      ${printable(hint)}`]
    })
    return [...lines, ok ? style.green('Nothing is in the way') : style.red('Something is in the way')].join(
      '\n',
    )
  },
  brief: ({ checks }) =>
    checks
      .filter(({ ok }) => ok === false)
      .map(({ name }) => name)
      .join('\n'),
  exitStatus: ({ ok }) => (ok ? EXIT.ok : EXIT.unavailable),
})
