// `pkg gc`: a plan and its execution; `--dry-run` is the plan.

import { statfsSync } from 'node:fs'
import { parseBytes, parseDuration, parseShare, shareBytes } from '../../amounts.ts'
import type { Amount } from '../../collector/amount.ts'
import type { DeadGroup } from '../../collector/dead-groups.ts'
import type { CollectionResult } from '../../collector/figures.ts'
import { PkgError } from '../../errors.ts'
import type { CID } from '../../store/cid.ts'
import type { Store } from '../../store/store.ts'
import { defineCommand } from '../command.ts'
import { stepsProgress } from '../show/collection-steps.ts'
import { count, formatBytes, formatDate, printable, type Style, table } from '../show/output.ts'
import { reading, wholeNumber } from '../words/values.ts'

/** Reasons that are listed; `--json` has all of them. */
const SHOWN = 20

/** Lost blocks that are named. */
const SHOWN_LOST = 5
const SHOWN_STUCK = 3

/** An environment of many packages takes no more than so many columns. */
const LONGEST = 60

export const command = defineCommand({
  options: (argv) =>
    argv
      .option('dry-run', {
        alias: 'n',
        type: 'boolean',
        describe: 'Only tell what would be deleted, and why',
      })
      .option('delete-older-than', {
        type: 'string',
        requiresArg: true,
        coerce: reading(parseDuration),
        describe: 'First delete generations made longer ago: 30d, 12h, 2w; likewise of every user',
      })
      .option('keep', {
        type: 'string',
        requiresArg: true,
        coerce: reading(wholeNumber(0)),
        describe:
          'Of each profile keep the newest so many generations, and the current one. As the owner of the prefix: of every user’s',
      })
      .option('max-freed', {
        type: 'string',
        requiresArg: true,
        coerce: reading(parseBytes),
        describe: 'Stop when so much of the disk is freed: 10G. 0: nothing goes, generations neither',
      })
      .option('ensure-free', {
        type: 'string',
        requiresArg: true,
        coerce: reading(parseShare),
        describe: 'Delete no more than it takes for so much to be free on the disk: 10G, 20%',
      })
      .option('grace', {
        type: 'string',
        requiresArg: true,
        coerce: reading((text) => (text === '0' ? 0 : parseDuration(text))),
        describe: 'Blocks written less than so long ago stay: 1h, or 0 [the setting gc.graceSeconds]',
      })
      .option('despite-damage', {
        type: 'boolean',
        describe: 'Give up what only damaged blocks lead to, instead of stopping there',
      })
      .example('pkg gc --dry-run', 'How much it would free, and why that is dead')
      .example('pkg gc --keep 3 --delete-older-than 30d', 'Only generations beyond both limits go')
      .example('pkg gc --ensure-free 20%', 'Nothing, while a fifth of the disk is free'),
  async run({ dryRun = false, despiteDamage, ...limits }, context) {
    const { keep, deleteOlderThan: olderThanMs, maxFreed: maxFreedBytes, ensureFree, grace: graceMs } = limits
    const { collect } = await import('../../daemon/client/collect.ts')
    const policy = {
      ...(keep === undefined ? {} : { keep }),
      ...(olderThanMs === undefined ? {} : { olderThanMs }),
    }
    const options = { dryRun, despiteDamage, maxFreedBytes, graceMs }
    const store = await context.openStore(dryRun ? 'read' : 'change')
    const { blocks, bsize } = statfsSync(store.paths.blocks)
    const ensureFreeBytes = ensureFree && shareBytes(ensureFree, blocks * bsize)
    const steps = stepsProgress(context, dryRun ? { sweep: 'Counting' } : {})
    try {
      const result = await collect(store, policy, {
        ...options,
        ensureFreeBytes,
        signal: context.signal,
        onProgress: steps.update,
        nameDead: await packageNames(store),
      })
      if (lacksRoom(result)) {
        context.note(describeLack(result))
        context.note('hint: `pkg du` shows what takes the room; `pkg gc --keep N` lets generations go.')
      }
      return result
    } catch (cause) {
      if (!context.signal.aborted || dryRun) throw cause
      const { blocks = 0, bytes = 0 } = steps.last('sweep') ?? {}
      const done = blocks === 0 ? 'nothing' : `${count(blocks, 'block')}, ${formatBytes(bytes)}`
      throw new PkgError('INTERRUPTED', `interrupted: ${done} had been deleted`, {
        hint: 'What is left is as it was; the next `pkg gc` goes on from there.',
        cause,
      })
    } finally {
      steps.end()
    }
  },
  render: (result, style) => [...remarks(result, style), summary(result, style)].join('\n'),
  brief: ({ bytes }) => String(bytes),
})

/** What dead packages were called: for people who wonder what that was. Asked while their blocks are there. */
async function packageNames({
  blocks,
}: Pick<Store, 'blocks'>): Promise<(group: DeadGroup) => string | undefined> {
  const [{ readManifest }, { readEnvironment }] = await Promise.all([
    import('../../packages/package.ts'),
    import('../../profiles/environment.ts'),
  ])
  const tries = [
    (cid: CID) => versionOf(readManifest(blocks, cid)),
    (cid: CID) => `environment of ${readEnvironment(blocks, cid).map(versionOf).join(', ')}`,
  ]
  return ({ why, cid }) => {
    if (why !== 'complete' || cid === undefined) return undefined
    for (const read of tries) {
      try {
        return read(cid)
      } catch (error) {
        if (!(error instanceof PkgError)) throw error
      }
    }
    return undefined
  }
}

function versionOf({ name, version }: { name: string; version: string }): string {
  return `${name} ${version}`
}

/** True where more was to be free than there is, though all that is dead is gone: no error, for there is nothing more to do. */
function lacksRoom({ room, stopped }: CollectionResult): boolean {
  return room !== undefined && stopped === undefined && room.bytes < room.wanted
}

function describeLack({ room = { bytes: 0, wanted: 0 }, dryRun }: CollectionResult): string {
  const [are, is] = dryRun ? ['would be', 'would be'] : ['are', 'is']
  return `${formatBytes(room.bytes)} ${are} free, ${formatBytes(room.wanted)} were asked for: all that is dead ${is} gone`
}

function summary(result: CollectionResult, style: Style): string {
  const { dryRun, blocks, generations, checkouts, keptBlocks, roots, claimed, young, stopped } = result
  const { left } = result
  const parts = [
    generations.length > 0 && count(generations.length, 'generation'),
    blocks > 0 && `${count(blocks, 'block')}, ${sizeOf(result)}`,
    checkouts > 0 &&
      `${count(checkouts, 'checkout')}, ${sizeOf({ bytes: result.checkoutBytes, diskBytes: result.checkoutDiskBytes })}`,
  ].filter((part) => typeof part === 'string')
  const notes = [
    stopped && STOPPED[stopped],
    left && `Dead blocks are left: ${left.blocks.toLocaleString('en')}, ${sizeOf(left)}`,
    young > 0 &&
      `${count(young, 'block')} without a root written too lately: within the grace time they stay`,
    claimed > 0 && `${count(claimed, 'block')} claimed by others meanwhile`,
    `${count(keptBlocks, 'block')} kept by ${count(roots, 'root')}`,
  ]
  return [
    `${dryRun ? 'Would delete' : 'Deleted'} ${style.bold(parts.join('; ') || 'nothing')}`,
    ...reasons(result, style),
    ...notes.filter((note) => typeof note === 'string').map((note) => style.dim(note)),
  ].join('\n')
}

/** What is in it, and what the file system gets back: its own units make more of small blocks. */
function sizeOf({ bytes, diskBytes }: Pick<Amount, 'bytes' | 'diskBytes'>): string {
  return `${formatBytes(bytes)} (${formatBytes(diskBytes)} of the disk)`
}

const KEPT = {
  newest: 'among the newest',
  current: 'current',
  named: 'another link leads through',
  young: 'not old enough',
  unknown: 'which one is current cannot be told',
}

const STOPPED = {
  'max-freed': 'It ends here: as much as was asked for is freed',
  'ensure-free': 'It ends here: as much as was asked for is free',
}

/** Why it is dead, the most first. */
function reasons({ dead }: CollectionResult, style: Style): string[] {
  const rows = dead
    .slice(0, SHOWN)
    .map((group) => [`  ${formatBytes(group.bytes)}`, count(group.blocks, 'block'), reasonOf(group, style)])
  const more = dead.length > SHOWN ? [style.dim(`  and ${count(dead.length - SHOWN, 'smaller one')}`)] : []
  return rows.length > 0 ? [table([], rows, { style, right: [0, 1] }), ...more] : []
}

function reasonOf({ why, cid, number, profile, path, name }: DeadGroup, style: Style): string {
  const what = name === undefined ? '' : `${style.bold(printable(shorten(name)))}: `
  if (why === 'generation')
    return `generation ${number} of ${printable(profile ?? '')} had it, and nothing that stays does`
  if (why === 'auto-pin') return `only ${printable(path ?? '')} led to it, which is gone`
  if (why === 'complete') return `${what}nothing keeps ${style.dim(String(cid))} any more`
  return 'not known what it belonged to: an add that did not end, or the rest of what was deleted before'
}

function shorten(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text
}

function listOf(first: CollectionResult['deniedFirst'], all: number): string {
  const named = first.map(({ pid, name }) => printable(`${pid} ${name}`)).join(', ')
  return all > first.length ? `${named}, …` : named
}

/** What is kept beyond the limit, and why: a line for those of a profile that stay for the same reason. */
function keptLines(kept: CollectionResult['kept'], dryRun: boolean): string[] {
  const groups = [...Map.groupBy(kept, ({ profile, why }) => `${why} ${profile}`).values()]
  return groups.flatMap((alike) => {
    const [first] = alike
    if (first === undefined) return []
    const numbers = alike.map(({ number }) => number).join(', ')
    const what = alike.length > 1 ? 'generations' : 'generation'
    return `${dryRun ? 'would keep' : 'kept'} ${what} ${numbers} of ${printable(first.profile)}: ${KEPT[first.why]}`
  })
}

function remarks(
  {
    dryRun,
    generations,
    kept,
    gone,
    unreadable,
    skipped,
    deniedProcesses,
    deniedFirst,
    stuckProcesses,
    incomplete,
    damaged,
  }: CollectionResult,
  style: Style,
): string[] {
  const verb = dryRun ? 'would delete' : 'deleted'
  return [
    ...generations.map(
      ({ profile, number, created }) =>
        `${verb} generation ${number} of ${printable(profile)} (${formatDate(created)})`,
    ),
    ...keptLines(kept, dryRun),
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
            `${count(deniedProcesses, 'process', 'processes')} could not be looked at (${listOf(deniedFirst, deniedProcesses)}): what they run from the store counts only through other roots`,
          ),
        ]
      : []),
    ...(stuckProcesses.length > 0
      ? [
          style.yellow(
            `${count(stuckProcesses.length, 'process', 'processes')} could not be read in time (${listOf(stuckProcesses.slice(0, SHOWN_STUCK), stuckProcesses.length)}), for a file system that does not answer: what they run and have open is kept, and what they map beside it counts only through other roots`,
          ),
        ]
      : []),
    // A pin of a part of a DAG is legal, so this is no failure of the collection; `store verify` judges.
    ...incomplete
      .slice(0, SHOWN_LOST)
      .map((cid) => style.yellow(`not here, though a root reaches it: ${cid}`)),
    ...(incomplete.length > SHOWN_LOST
      ? [
          style.yellow(
            `and ${incomplete.length - SHOWN_LOST} more: \`pkg store verify\` tells what they belong to`,
          ),
        ]
      : []),
    ...damaged.map((cid) => style.red(`damaged, and nothing below it is kept on its account: ${cid}`)),
  ]
}
