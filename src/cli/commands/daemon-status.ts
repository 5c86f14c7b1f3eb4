// `pkg daemon status`: answers whether or not one runs, and starts none.

import { defineCommand } from '../command.ts'
import { fields, formatDate, printable } from '../output.ts'

export const command = defineCommand({
  options: (argv) => argv.example('pkg daemon status --json', 'With the mount’s request counts'),
  async run(_args, { paths }) {
    const { daemonState } = await import('../../daemon/client.ts')
    return { prefix: paths.root, mountpoint: paths.store, log: paths.log, ...(await daemonState(paths)) }
  },
  render({ running, pid, mode, why, mount, mountPid, mountpoint, status, log }, style) {
    const at = (process: number | undefined) => (process === undefined ? '' : ` (process ${process})`)
    const failure = status?.mount.error
    const states = {
      mounted: style.green('mounted'),
      stale: style.red('stale'),
      none: style.yellow('not mounted'),
    }
    return fields(
      [
        ['daemon', running ? `${style.green('running')}${at(pid)}` : style.yellow('not running')],
        ['since', status && formatDate(status.started)],
        ['mode', `${mode}: ${printable(why)}`],
        ['mount', `${states[mount]} at ${mountpoint}${at(mountPid)}`],
        ['error', failure && style.red(failure.message)],
        ['hint', failure?.hint],
        ['log', log],
      ],
      style,
    )
  },
  brief: ({ mount }) => mount,
})
