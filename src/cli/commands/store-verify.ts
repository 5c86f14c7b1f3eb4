// `pkg store verify`: hashes every block, looks whether what roots keep is whole,
// and heals it from what is named; holds checkouts against their DAGs.

import { EXIT, PkgError } from '../../errors.ts'
import type { Root } from '../../pins/root.ts'
import type { Store } from '../../store/store.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { describeRoot } from '../describe-root.ts'
import { count, formatBytes, printable } from '../output.ts'

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
      .option('repair', { type: 'boolean', describe: 'Heal, which --from does too' })
      .example('pkg store verify', 'Move corrupt blocks to quarantine; adding the content again heals it')
      .example('pkg store verify --repair --from backup.car ./tree', 'Heal from what still has the blocks'),
  async run({ dryRun = false, from = [], repair = false }, context) {
    if (repair && from.length === 0) {
      throw new PkgError('USAGE', '--repair needs to know where the lost blocks are', {
        hint: 'Name CAR files, imported directories or other prefixes: --from <path>…',
      })
    }
    const [{ verifyStore }, { roots }] = await Promise.all([
      import('../../store/verify.ts'),
      import('../../pins/roots.ts'),
    ])
    if (from.length > 0) {
      const { kindOf } = await import('../../store/heal-sources.ts')
      // A slip of the pen is told also while nothing needs healing.
      from.forEach(kindOf)
    }
    const store = await context.openStore()
    if (from.length > 0 && !dryRun) {
      await (await import('../owner-only.ts')).requireWriter(context.paths, 'healed')
    }
    const task = context.progress.task('Verifying', 'items')
    const total = Array.from(store.blocks.list(), () => 0).length
    const all = await roots(store)
    const { quarantined, ...verified } = await verifyStore(store, {
      signal: context.signal,
      repair: !dryRun,
      from,
      roots: new Map(all.map(({ cid }) => [cid.toString(), cid])).values(),
      onProgress: ({ blocks }) => task.update({ done: blocks, total }),
    }).finally(task.end)
    const named = quarantined.map(({ neededBy, ...block }) => {
      const needs = (root: Root) => neededBy.some((cid) => cid.equals(root.cid))
      return { ...block, neededBy: all.filter(needs).map(describeRoot) }
    })
    const incompleteRoots = verified.incompleteRoots.map((root) => {
      return { ...root, neededBy: all.filter(({ cid }) => cid.equals(root.cid)).map(describeRoot) }
    })
    const checkouts = await verifyTrees(context, store, !dryRun)
    const mended = checkouts?.damaged.every(({ repaired }) => repaired) ?? true
    const whole = verified.incompleteRoots.length === 0 && mended
    // Asked to heal, what was found damaged is no failure once all that needs it is whole.
    const ok = whole && (verified.corrupt.length === 0 || (from.length > 0 && !dryRun))
    return { ok, ...verified, incompleteRoots, quarantined: named, ...(checkouts && { checkouts }) }
  },
  render({ ok, blocks, bytes, corrupt, incompleteRoots, quarantined, healed, checkouts }, style) {
    const lines = corrupt.map(({ file, why, quarantined }) => {
      return `${style.red('corrupt')} ${printable(file)}: ${printable(why)}${quarantined ? ' (moved to quarantine)' : ''}`
    })
    for (const { path, kind, blocks, bytes } of healed?.sources ?? []) {
      lines.push(
        `${style.green('healed')} ${count(blocks, 'block')} (${formatBytes(bytes)}) from the ${kind} ${printable(path)}`,
      )
    }
    for (const { cid, missing, neededBy } of incompleteRoots) {
      lines.push(
        `${style.red('incomplete')} ${cid}: ${count(missing.length, 'block')} missing, first ${missing[0]}; needed by ${printable(neededBy.join(', '))}`,
      )
    }
    for (const { cid, file, neededBy } of quarantined) {
      const need = neededBy.length > 0 ? `needed by ${neededBy.join(', ')}` : 'no root needs it'
      lines.push(`${style.yellow('in quarantine')} ${cid} (${printable(file)}): ${printable(need)}`)
    }
    for (const { cid, path, why, repaired } of checkouts?.damaged ?? []) {
      const mended = repaired ? style.green(' (made anew)') : ''
      lines.push(`${style.red('damaged')} ${cid}${printable(path)}: it ${printable(why)}${mended}`)
    }
    if (checkouts)
      lines.push(`${count(checkouts.trees, 'checkout')}, ${count(checkouts.entries, 'entry', 'entries')}`)
    lines.push(
      `${count(blocks, 'block')}, ${formatBytes(bytes)}: ${ok ? style.green('all good') : style.red('damaged')}`,
    )
    if (!ok) {
      lines.push(
        `${style.bold('hint:')} add, import or install the damaged content again, or name who has it: --from <path>`,
      )
    }
    return lines.join('\n')
  },
  brief: ({ corrupt }) => corrupt.map(({ cid }) => cid.toString()).join('\n'),
  exitStatus: ({ ok }) => (ok ? EXIT.ok : EXIT.damaged),
})

/** Checkouts, where they are how programs see the store; a mount would hide them. */
async function verifyTrees({ paths, progress, signal }: Context, store: Store, repair: boolean) {
  const [{ storeMode }, { mountState }, { verifyCheckouts }] = await Promise.all([
    import('../../mount/mode.ts'),
    import('../../mount/mountpoint.ts'),
    import('../../store/checkout/repair.ts'),
  ])
  if (storeMode(paths) === 'mount' || mountState(paths) !== 'none') return undefined
  const task = progress.task('Verifying checkouts', 'items')
  const onProgress = ({ entries }: { entries: number }) => task.update({ done: entries })
  return await verifyCheckouts(store, { repair, signal, onProgress }).finally(task.end)
}
