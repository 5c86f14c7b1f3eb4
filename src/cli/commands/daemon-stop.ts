// `pkg daemon stop`.

import { defineCommand } from '../command.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .option('force', { type: 'boolean', describe: 'Also while programs run from the store: they may die' })
      .example('pkg daemon stop', 'Programs in the store cannot run until the next start'),
  async run({ force = false }, { paths }) {
    const { stopDaemon } = await import('../../daemon/client/client.ts')
    return { ...(await stopDaemon(paths, { force })), path: paths.store }
  },
  render({ daemon, mount, path }) {
    if (!daemon && !mount) return 'No daemon runs'
    return mount ? `Stopped; ${path} is unmounted` : 'Stopped'
  },
})
