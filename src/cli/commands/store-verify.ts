// `pkg store verify`: hashes every block, looks whether what roots keep is whole,
// and heals it from what is named; holds checkouts against their DAGs.

import { EXIT, PkgError } from '../../errors.ts'
import type { Root } from '../../pins/root.ts'
import { blockName, type CID } from '../../store/cid.ts'
import type { Store } from '../../store/store.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { describeRoots } from '../show/describe-root.ts'
import { hintsFor, renderLoss, summarize } from '../show/losses.ts'
import { count, formatBytes, printable } from '../show/output.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .option('dry-run', { type: 'boolean', describe: 'Only tell: leave corrupt blocks where they are' })
      .option('from', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: 'Heal: take lost blocks from a CAR file, an imported directory or another prefix',
      })
      .option('repair', { type: 'boolean', describe: 'The same as --from alone, said in full' })
      .example('pkg store verify', 'Move corrupt blocks to quarantine; adding the content again heals it')
      .example('pkg store verify --repair --from backup.car ./tree', 'Heal from what still has the blocks'),
  async run({ dryRun = false, from = [], repair = false }, context) {
    if (repair && from.length === 0) {
      throw new PkgError('USAGE', '--repair needs to know where the lost blocks are', {
        hint: 'Name CAR files, imported directories or other prefixes: --from <path>…',
      })
    }
    const [{ verifyStore }, { roots }, { owedRoots }] = await Promise.all([
      import('../../store/verify/verify.ts'),
      import('../../pins/roots.ts'),
      import('../../pins/owed.ts'),
    ])
    if (from.length > 0) {
      const { kindOf } = await import('../../store/verify/heal-sources.ts')
      // A slip of the pen is told also while nothing needs healing.
      from.forEach(kindOf)
    }
    const store = await context.openStore()
    if (from.length > 0) {
      await (await import('../owner-only.ts')).requireWriter(context.paths, 'healed')
    }
    const task = context.progress.task('Verifying', 'items')
    const total = Array.from(store.blocks.list(), () => 0).length
    let all: Root[] = []
    const owed = async () => {
      all = owedRoots(store, await roots(store))
      return all.map(({ cid }) => cid)
    }
    const { quarantined, incompleteRoots, ...verified } = await verifyStore(store, {
      signal: context.signal,
      repair: !dryRun,
      from,
      roots: owed,
      onProgress: ({ blocks }) => task.update({ done: blocks, total }),
    }).finally(task.end)
    const { nameLosses } = await import('../../profiles/lost-blocks.ts')
    const losses = nameLosses(store, incompleteRoots, all).map(({ neededBy, ...loss }) => {
      return { ...loss, neededBy: describeRoots(neededBy) }
    })
    const needing = (cids: readonly CID[]) => {
      return describeRoots(all.filter((root) => cids.some((cid) => cid.equals(root.cid))))
    }
    const checkouts = await verifyTrees(context, store, { repair: !dryRun, all })
    const mended = checkouts?.damaged.every(({ repaired }) => repaired) ?? true
    const whole = incompleteRoots.length === 0 && mended
    // Asked to heal, what was found damaged is no failure once it is out of the way and all that needs it is whole.
    const away = verified.corrupt.every(({ quarantined }) => quarantined)
    const healed = dryRun && (verified.healed?.blocks ?? 0) > 0
    const ok = whole && !healed && (verified.corrupt.length === 0 || (from.length > 0 && !dryRun && away))
    return {
      ok,
      dryRun,
      ...verified,
      losses,
      incompleteRoots: incompleteRoots.map((root) => ({ ...root, neededBy: needing([root.cid]) })),
      quarantined: quarantined.map((block) => ({ ...block, neededBy: needing(block.neededBy) })),
      ...(checkouts && { checkouts }),
      ...(!ok && { hints: await hintsFor(context.paths, { losses, stuck: !(away && mended) && !dryRun }) }),
    }
  },
  render(result, style) {
    const { dryRun, corrupt, losses, quarantined, healed, checkouts, hints = [] } = result
    const lines = corrupt.map(({ file, why, quarantined }) => {
      const moved = quarantined
        ? ' (moved to quarantine)'
        : dryRun
          ? ' (would go to quarantine)'
          : ' (cannot be moved to quarantine)'
      return `${style.red('corrupt')} ${printable(file)}: ${printable(why)}${moved}`
    })
    for (const { path, kind, blocks, bytes } of healed?.sources ?? []) {
      lines.push(
        `${style.green(dryRun ? 'would heal' : 'healed')} ${count(blocks, 'block')} (${formatBytes(bytes)}) from the ${kind} ${printable(path)}`,
      )
    }
    for (const loss of losses) lines.push(renderLoss(loss, style, dryRun))
    for (const { file, neededBy } of quarantined) {
      const need = neededBy.length > 0 ? `needed by ${neededBy.join(', ')}` : 'no root needs it'
      lines.push(`${style.yellow('in quarantine')} ${printable(file)}: ${printable(need)}`)
    }
    for (const { cid, path, why, repaired } of checkouts?.damaged ?? []) {
      const mended = repaired ? style.green(' (made anew)') : ''
      lines.push(`${style.red('damaged')} ${cid}${printable(path)}: it ${printable(why)}${mended}`)
    }
    if (checkouts)
      lines.push(`${count(checkouts.trees, 'checkout')}, ${count(checkouts.entries, 'entry', 'entries')}`)
    lines.push(summarize(result, style))
    for (const hint of hints) lines.push(`${style.bold('hint:')} ${printable(hint)}`)
    return lines.join('\n')
  },
  // By the names of the files: a block has one, whatever links to it.
  brief({ corrupt, losses }) {
    const cids = [...corrupt.map(({ cid }) => cid), ...losses.flatMap(({ lost }) => lost)]
    return [...new Set(cids.map(blockName))].join('\n')
  },
  exitStatus: ({ ok }) => (ok ? EXIT.ok : EXIT.damaged),
})

/** Checkouts, where they are how programs see the store; a mount would hide them. */
async function verifyTrees(
  { paths, progress, signal }: Context,
  store: Store,
  { repair, all }: { repair: boolean; all: readonly Root[] },
) {
  const [{ storeMode }, { mountState }, { addMissingCheckouts, verifyCheckouts }] = await Promise.all([
    import('../../mount/mode.ts'),
    import('../../mount/mountpoint.ts'),
    import('../../store/checkout/repair.ts'),
  ])
  if (storeMode(paths) === 'mount' || mountState(paths) !== 'none') return undefined
  const task = progress.task('Verifying checkouts', 'items')
  const onProgress = ({ entries }: { entries: number }) => task.update({ done: entries })
  try {
    const verified = await verifyCheckouts(store, { repair, signal, onProgress })
    // What runs now has to be there; other generations get their trees when they are chosen.
    const cids = all.filter((root) => root.current).map(({ cid }) => cid)
    return await addMissingCheckouts(store, verified, { cids, repair, signal })
  } finally {
    task.end()
  }
}
