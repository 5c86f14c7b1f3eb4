// `pkg store verify`: hashes every block, and looks whether what roots keep is whole.

import { EXIT } from '../../errors.ts'
import type { Root } from '../../pins/root.ts'
import { defineCommand } from '../command.ts'
import { describeRoot } from '../describe-root.ts'
import { count, formatBytes, printable } from '../output.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .option('dry-run', { type: 'boolean', describe: 'Only tell: leave corrupt blocks where they are' })
      .example('pkg store verify', 'Move corrupt blocks to quarantine; adding the content again heals it'),
  async run({ dryRun = false }, context) {
    const [{ verifyStore }, { roots }] = await Promise.all([
      import('../../store/verify.ts'),
      import('../../pins/roots.ts'),
    ])
    const store = await context.openStore()
    const task = context.progress.task('Verifying', 'items')
    const total = Array.from(store.blocks.list(), () => 0).length
    const all = await roots(store)
    const { quarantined, ...verified } = await verifyStore(store, {
      signal: context.signal,
      repair: !dryRun,
      roots: new Map(all.map(({ cid }) => [cid.toString(), cid])).values(),
      onProgress: ({ blocks }) => task.update({ done: blocks, total }),
    }).finally(task.end)
    const named = quarantined.map(({ neededBy, ...block }) => {
      const needs = (root: Root) => neededBy.some((cid) => cid.equals(root.cid))
      return { ...block, neededBy: all.filter(needs).map(describeRoot) }
    })
    const ok = verified.corrupt.length === 0 && verified.incompleteRoots.length === 0
    return { ok, ...verified, quarantined: named }
  },
  render({ ok, blocks, bytes, corrupt, incompleteRoots, quarantined }, style) {
    const lines = corrupt.map(({ file, why, quarantined }) => {
      return `${style.red('corrupt')} ${printable(file)}: ${printable(why)}${quarantined ? ' (moved to quarantine)' : ''}`
    })
    for (const { cid, missing } of incompleteRoots) {
      lines.push(
        `${style.red('incomplete')} ${cid}: ${count(missing.length, 'block')} missing, first ${missing[0]}`,
      )
    }
    for (const { cid, file, neededBy } of quarantined) {
      const need = neededBy.length > 0 ? `needed by ${neededBy.join(', ')}` : 'no root needs it'
      lines.push(`${style.yellow('in quarantine')} ${cid} (${printable(file)}): ${printable(need)}`)
    }
    lines.push(
      `${count(blocks, 'block')}, ${formatBytes(bytes)}: ${ok ? style.green('all good') : style.red('damaged')}`,
    )
    if (!ok) lines.push(`${style.bold('hint:')} add, import or install the damaged content again`)
    return lines.join('\n')
  },
  brief: ({ corrupt }) => corrupt.map(({ cid }) => cid.toString()).join('\n'),
  exitStatus: ({ ok }) => (ok ? EXIT.ok : EXIT.damaged),
})
