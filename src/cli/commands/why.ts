// `pkg why`: which roots keep something alive, each as a way through the DAG.

import { PkgError } from '../../errors.ts'
import type { why } from '../../pins/why.ts'
import { defineCommand } from '../command.ts'
import { describeRoot } from '../show/describe-root.ts'
import { printable } from '../show/output.ts'

type Reason = Awaited<ReturnType<typeof why>>[number]
type Shown = { title: string; path: Reason['path'] }

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('target', {
        type: 'string',
        demandOption: true,
        describe: 'A CID, a store path, the name or name@version of a package or pin',
      })
      .option('all', { alias: 'a', type: 'boolean', describe: 'Each generation with a way of its own' })
      .example('pkg why esbuild', 'The generations and pins that need it'),
  async run({ target }, context) {
    const [{ why }, { findHungMounts }, { resolveDag }] = await Promise.all([
      import('../../pins/why.ts'),
      import('../../pins/hung-mounts.ts'),
      import('../dag.ts'),
    ])
    const store = await context.openStore()
    await findHungMounts(store.paths)
    const cid = await resolveDag(store, target, context)
    // Generations by their numbers: as words 10 comes before 2.
    const reasons = (await why(store, cid)).sort(
      ({ root: a }, { root: b }) =>
        (a.profile === b.profile &&
          a.number !== undefined &&
          b.number !== undefined &&
          a.number - b.number) ||
        0,
    )
    if (reasons.length === 0 && !store.blocks.has(cid)) {
      throw new PkgError('NOT_FOUND', `${cid} is not in ${store.paths.root}, and nothing there leads to it`)
    }
    return { cid, alive: reasons.length > 0, reasons }
  },
  render({ cid, reasons }, style, { all = false }) {
    if (reasons.length === 0) return `Nothing keeps ${cid} alive: the next \`pkg gc\` takes it`
    const lines = (all ? reasons.map(alone) : foldGenerations(reasons)).flatMap(({ title, path }) => [
      style.bold(printable(title)),
      ...path.map(({ cid: at, name }, depth) => {
        const label = name === undefined ? '' : `${printable(name)}  `
        return `${'  '.repeat(depth + 1)}${label}${style.dim(at.toString())}`
      }),
    ])
    return lines.join('\n')
  },
  brief: ({ reasons }) => reasons.map(({ root }) => printable(describeRoot(root))).join('\n'),
})

const alone = ({ root, path }: Reason): Shown => ({ title: describeRoot(root), path })

/** Generations of one profile that lead there by the same names, as one, with the way from the current one of them, else the last. */
export function foldGenerations(reasons: readonly Reason[]): Shown[] {
  const groups = new Map<string, Reason[]>()
  for (const [at, reason] of reasons.entries()) {
    const { profile, number } = reason.root
    const names = reason.path.map(({ name }) => name ?? '')
    const same = profile === undefined || number === undefined ? at : [profile, ...names]
    const key = JSON.stringify(same)
    groups.set(key, [...(groups.get(key) ?? []), reason])
  }
  return [...groups.values()].map((group) => {
    const current = group.find(({ root }) => root.current)
    const shown = current ?? (group.at(-1) as Reason)
    if (group.length === 1) return alone(shown)
    const note = current === undefined ? '' : ` (${current.root.number} is current)`
    const numbers = ranges(group.map(({ root }) => root.number as number))
    return { title: `generations ${numbers} of ${shown.root.profile}${note}`, path: shown.path }
  })
}

/** `1-50, 52` */
function ranges(numbers: readonly number[]): string {
  const found: [number, number][] = []
  for (const number of numbers) {
    const last = found.at(-1)
    if (last && last[1] + 1 === number) last[1] = number
    else found.push([number, number])
  }
  return found.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ')
}
