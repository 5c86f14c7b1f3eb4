// `pkg gc`: a plan and its execution; `--dry-run` is the plan.

import { parseDuration } from '../../amounts.ts'
import type { CollectionResult } from '../../pins/collect.ts'
import { defineCommand } from '../command.ts'
import { wholeNumber } from '../numbers.ts'
import { count, formatBytes, formatDate, printable, type Style } from '../output.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .option('dry-run', { alias: 'n', type: 'boolean', describe: 'Only tell what would be deleted' })
      .option('delete-older-than', {
        type: 'string',
        requiresArg: true,
        describe: 'Delete generations made longer ago, first: 30d, 12h, 2w',
      })
      .option('keep', {
        type: 'number',
        requiresArg: true,
        describe: 'Of each profile keep this many generations',
      })
      .option('despite-damage', {
        type: 'boolean',
        describe: 'Give up what only damaged blocks lead to, instead of stopping there',
      })
      .example('pkg gc --dry-run', 'How much it would free')
      .example('pkg gc --keep 3 --delete-older-than 30d', 'Only what is beyond both limits goes'),
  async run({ dryRun = false, deleteOlderThan, keep, despiteDamage }, context) {
    const { collect } = await import('../../daemon/collect-client.ts')
    const policy = {
      ...(keep === undefined ? {} : { keep: wholeNumber(keep, '--keep', 0) }),
      ...(deleteOlderThan === undefined ? {} : { olderThanMs: parseDuration(deleteOlderThan) }),
    }
    const labels = { mark: 'Marking', list: 'Listing', sweep: dryRun ? 'Counting' : 'Deleting' }
    const tasks = new Map<string, ReturnType<typeof context.progress.task>>()
    const store = await context.openStore(dryRun ? 'read' : 'change')
    return await collect(store, policy, {
      dryRun,
      despiteDamage,
      signal: context.signal,
      onProgress({ step, blocks, total }) {
        for (const [other, task] of tasks) if (other !== step) task.end()
        if (!tasks.has(step)) tasks.set(step, context.progress.task(labels[step], 'items'))
        tasks.get(step)?.update({ done: blocks, total })
      },
    }).finally(() => {
      for (const task of tasks.values()) task.end()
    })
  },
  render: (result, style) => [...remarks(result, style), summary(result, style)].join('\n'),
  brief: ({ bytes }) => String(bytes),
})

function summary(
  { dryRun, blocks, bytes, keptBlocks, roots, claimed }: CollectionResult,
  style: Style,
): string {
  const what = `${count(blocks, 'block')}, ${formatBytes(bytes)}`
  const kept = `${count(keptBlocks, 'block')} kept by ${count(roots, 'root')}`
  const rescued = claimed > 0 ? `; ${count(claimed, 'block')} claimed by others meanwhile` : ''
  return `${dryRun ? 'Would delete' : 'Deleted'} ${style.bold(what)}\n${style.dim(kept + rescued)}`
}

function remarks(
  { dryRun, generations, gone, unreadable, skipped, deniedProcesses, incomplete, damaged }: CollectionResult,
  style: Style,
): string[] {
  const verb = dryRun ? 'would delete' : 'deleted'
  return [
    ...generations.map(
      ({ profile, number, created }) =>
        `${verb} generation ${number} of ${printable(profile)} (${formatDate(created)})`,
    ),
    ...gone.map(
      ({ path }) => `${dryRun ? 'would drop' : 'dropped'} the auto pin of ${printable(path)}, which is gone`,
    ),
    ...skipped.map(({ profile, why }) => {
      return style.yellow(
        `kept all generations of ${printable(profile)}: ${why === 'BUSY' ? 'it is being changed' : 'not permitted'}`,
      )
    }),
    ...unreadable.map(({ path, errno }) =>
      style.yellow(`cannot read ${printable(path)} (${errno}): what it kept stays`),
    ),
    ...(deniedProcesses > 0
      ? [
          style.dim(
            `${count(deniedProcesses, 'process', 'processes')} of others could not be looked at: what they run from the store counts only through other roots`,
          ),
        ]
      : []),
    // A pin of a part of a DAG is legal, so this is no failure of the collection; `store verify` judges.
    ...incomplete.map((cid) => style.yellow(`not here, though a root reaches it: ${cid}`)),
    ...damaged.map((cid) => style.red(`damaged, and nothing below it is kept on its account: ${cid}`)),
  ]
}
