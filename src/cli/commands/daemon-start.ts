// `pkg daemon start`: on demand the daemon starts by itself; this is for a machine that boots.

import { defineCommand } from '../command.ts'

export const command = defineCommand({
  options: (argv) => argv.example('pkg daemon start', 'Mount the store, unless it is'),
  async run(_args, context) {
    const { paths, signal } = context
    const [{ daemonState, ensureDaemon }, { requireStartable }, { checkOutCurrent }] = await Promise.all([
      import('../../daemon/client/client.ts'),
      import('../../daemon/elsewhere.ts'),
      import('../mounting.ts'),
    ])
    await requireStartable(paths)
    const started = await ensureDaemon(paths, { signal })
    await checkOutCurrent(context)
    const { pid, mountPid, mode, why } = await daemonState(paths)
    return { started, mode, why, ...(mode === 'mount' && { mounted: paths.store }), pid, mountPid }
  },
  render({ started, mounted, why }) {
    if (mounted !== undefined) return `${started ? 'Mounted at' : 'Already mounted at'} ${mounted}`
    return `${started ? 'Runs' : 'Runs already'}, with checkouts and no mount: ${why}`
  },
})
