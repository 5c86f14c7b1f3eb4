// `pkg daemon restart`: after an update of pkg itself. Running programs notice nothing.

import { defineCommand } from '../command.ts'

export const command = defineCommand({
  options: (argv) =>
    argv.example('pkg daemon restart', 'Take a new version of pkg into use; programs run on'),
  async run(_args, context) {
    const { paths, signal } = context
    const [{ restartDaemon }, { daemonState }, { checkOutCurrent }] = await Promise.all([
      import('../../daemon/client/restart.ts'),
      import('../../daemon/client/client.ts'),
      import('../mounting.ts'),
    ])
    const ran = await restartDaemon(paths, { signal })
    await checkOutCurrent(context)
    const { pid, mountPid } = await daemonState(paths)
    return { restarted: ran, pid, mountPid }
  },
  render: ({ restarted, pid }) =>
    restarted ? `Restarted (process ${pid}); programs run on` : `Started (process ${pid}): none ran`,
})
