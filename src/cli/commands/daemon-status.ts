// `pkg daemon status`: answers whether or not one runs, and starts none.

import { statSync } from 'node:fs'
import type { LastCollection } from '../../collector/last-collection.ts'
import type { DaemonState } from '../../daemon/client/client.ts'
import { EXIT } from '../../errors.ts'
import type { PrefixPaths } from '../../paths.ts'
import { defineCommand } from '../command.ts'
import { count, fields, formatBytes, formatDate, printable } from '../show/output.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .example('pkg daemon status --json', 'With the mount’s request counts')
      .epilogue('Exit status: 0 when programs can run by the daemon, 8 when it or its mount is not there.'),
  async run(_args, { paths }) {
    const { daemonState } = await import('../../daemon/client/client.ts')
    const { wayOut } = await import('../../daemon/elsewhere.ts')
    const { lastCollection } = await import('../../collector/last-collection.ts')
    const state = await daemonState(paths)
    const last = lastCollection(paths)
    return {
      prefix: paths.root,
      mountpoint: paths.store,
      log: paths.log,
      ...state,
      ...(!works(state) && { hint: state.elsewhere ? wayOut(state.elsewhere) : hintFor(state, paths) }),
      ...(last && { lastCollection: last }),
    }
  },
  render(
    { running, pid, elsewhere, mode, why, undecided, mount, mountPid, mountpoint, status, hint, ...rest },
    style,
  ) {
    const { lastCollection, log } = rest
    const collection = status?.collection
    const where = elsewhere?.apart === 'pid' ? ' of another pid namespace' : ''
    const at = (process: number | undefined) => (process === undefined ? '' : ` (process ${process}${where})`)
    const failure = status?.mount.error
    const unseen = elsewhere?.apart === 'mount' ? ' in this mount namespace' : ''
    const states = {
      mounted: style.green('mounted'),
      stale: style.red('stale'),
      covered: style.red('covered by another mount'),
      none: style.yellow('not mounted'),
    }
    return fields(
      [
        ['daemon', running ? `${style.green('running')}${at(pid)}` : style.yellow('not running')],
        ['since', status && formatDate(status.started)],
        ['mode', `${undecided ? 'not known' : mode}: ${printable(why)}`],
        ['mount', `${states[mount]} at ${mountpoint}${unseen}${at(mountPid)}`],
        ['error', failure && style.red(failure.message)],
        ['hint', failure?.hint ?? (hint && printable(hint))],
        ['collects', collection && `by itself ${printable(collection.when)}`],
        ['collecting', collection?.running && `now: ${collection.running}`],
        ['last', lastCollection && describeLast(lastCollection)],
        [
          'generations',
          lastCollection?.lastGenerations && describeGenerations(lastCollection.lastGenerations),
        ],
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
  exitStatus: (state) => (works(state) ? EXIT.ok : EXIT.unavailable),
})

/** In checkout mode the daemon is all there has to be. */
function works({ running, mode, mount }: Pick<DaemonState, 'running' | 'mode' | 'mount'>): boolean {
  return running && (mode === 'checkout' || mount === 'mounted')
}

function hintFor({ running }: Pick<DaemonState, 'running'>, { root, log }: PrefixPaths): string {
  if (running) return `See ${log}.`
  const owner = statSync(root, { throwIfNoEntry: false })?.uid
  return owner === 0 && process.getuid?.() !== 0
    ? 'Root starts it, nobody else may: `pkg daemon start`.'
    : 'Commands start it when they need it; or run `pkg daemon start`.'
}

function describeLast({
  ended,
  blocks,
  bytes,
  diskBytes,
  stopped,
  young = 0,
  generations,
}: LastCollection): string {
  const what = [
    generations > 0 && count(generations, 'generation'),
    blocks > 0 && `${count(blocks, 'block')}, ${formatBytes(diskBytes ?? bytes)}`,
  ].filter((part) => typeof part === 'string')
  const left = [stopped && 'some', young > 0 && `${young} too young`].filter(
    (part) => typeof part === 'string',
  )
  return `collection ${formatDate(ended)}: deleted ${what.join(', ') || 'nothing'}${left.length > 0 ? `, and left ${left.join(' and ')}` : ''}`
}

function describeGenerations({ ended, count: deleted }: { ended: Date; count: number }): string {
  return `${deleted} deleted by the collection of ${formatDate(ended)}; those that the daemon deletes by itself are in the log`
}
