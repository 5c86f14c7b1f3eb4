// `pkg daemon status`: answers whether or not one runs, and starts none.

import type { LastCollection } from '../../pins/last-collection.ts'
import { defineCommand } from '../command.ts'
import { count, fields, formatBytes, formatDate, printable } from '../output.ts'

export const command = defineCommand({
  options: (argv) => argv.example('pkg daemon status --json', 'With the mount’s request counts'),
  async run(_args, { paths }) {
    const { daemonState } = await import('../../daemon/client.ts')
    const { lastCollection } = await import('../../pins/last-collection.ts')
    const state = await daemonState(paths)
    const last = lastCollection(paths)
    return {
      prefix: paths.root,
      mountpoint: paths.store,
      log: paths.log,
      ...state,
      ...(last && { lastCollection: last }),
    }
  },
  render(
    { running, pid, elsewhere, mode, why, mount, mountPid, mountpoint, status, lastCollection, log },
    style,
  ) {
    const collection = status?.collection
    const where = elsewhere ? ' of another pid namespace' : ''
    const at = (process: number | undefined) => (process === undefined ? '' : ` (process ${process}${where})`)
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
        ['collects', collection && `by itself ${collection.when}`],
        ['collecting', collection?.running && `now: ${collection.running}`],
        ['last', lastCollection && describeLast(lastCollection)],
        [
          'failed',
          collection?.error &&
            style.red(`${formatDate(collection.error.time)}: ${printable(collection.error.message)}`),
        ],
        ['log', log],
      ],
      style,
    )
  },
  brief: ({ mount }) => mount,
})

function describeLast({ ended, blocks, bytes, stopped }: LastCollection): string {
  const what = blocks === 0 ? 'nothing' : `${count(blocks, 'block')}, ${formatBytes(bytes)}`
  return `collection ${formatDate(ended)}: deleted ${what}${stopped ? ', and left some' : ''}`
}
