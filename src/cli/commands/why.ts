// `pkg why`: which roots keep something alive, each as a way through the DAG.

import { PkgError } from '../../errors.ts'
import type { Root } from '../../pins/root.ts'
import type { CID } from '../../store/cid.ts'
import type { Store } from '../../store/store.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { printable } from '../output.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('target', {
        type: 'string',
        demandOption: true,
        describe: 'A CID, a store path, the name of a package or pin',
      })
      .example('pkg why esbuild', 'The generations and pins that need it'),
  async run({ target }, context) {
    const { why } = await import('../../pins/why.ts')
    const store = await context.openStore()
    const cid = await findTarget(target, store, context)
    const reasons = await why(store, cid)
    return { cid, alive: reasons.length > 0, reasons }
  },
  render({ cid, reasons }, style) {
    if (reasons.length === 0) return `Nothing keeps ${cid} alive: the next \`pkg gc\` takes it`
    const lines = reasons.flatMap(({ root, path }) => [
      style.bold(printable(describeRoot(root))),
      ...path.map(({ cid: at, name }, depth) => {
        const label = name === undefined ? '' : `${printable(name)}  `
        return `${'  '.repeat(depth + 1)}${label}${style.dim(at.toString())}`
      }),
    ])
    return lines.join('\n')
  },
  brief: ({ reasons }) => reasons.map(({ root }) => printable(describeRoot(root))).join('\n'),
})

function describeRoot({ kind, name, path, profile, number, current }: Root): string {
  if (profile !== undefined && number !== undefined) {
    return `generation ${number} of ${profile}${current ? ' (current)' : ''}`
  }
  if (kind === 'pin') return `pin ${name}`
  if (kind === 'auto') return `link ${path} (pin ${name})`
  if (kind === 'temp') return `${name}, which is adding or running it`
  return `running process ${name}`
}

/** An installed package, a pin, a package of a registry: in this order, since the nearest is what is meant. */
async function findTarget(text: string, store: Store, { readProfile }: Context): Promise<CID> {
  const { parseSpec } = await import('../../registry/spec.ts')
  const spec = parseSpec(text)
  if (spec.kind !== 'name') return (await import('../dag.ts')).resolveDag(store, text)
  const [{ installedPackages }, { listPins }, { userName }, { resolve }] = await Promise.all([
    import('../../profiles/profile.ts'),
    import('../../pins/pins.ts'),
    import('../../paths.ts'),
    import('../../registry/resolve.ts'),
  ])
  if (spec.range === undefined) {
    const installed = installedPackages(await readProfile()).find(({ name }) => name === text)
    if (installed) return installed.cid
    const pins = listPins(store, { user: userName() }).filter(({ prog }) => prog === text)
    if (pins.length > 1) {
      throw new PkgError('USAGE', `${text} names ${pins.length} pins`, {
        hint: `Give one of their CIDs: ${pins.map(({ cid }) => cid).join(', ')}`,
      })
    }
    if (pins[0]) return pins[0].cid
  }
  return (await resolve(store, text)).cid
}
