// `pkg pin remove`: what it kept lies there until the next collection.

import { hasCode, PkgError } from '../../errors.ts'
import { checkVisibleName, shellWord, userName } from '../../paths.ts'
import type { Pin } from '../../pins/pins.ts'
import type { Store } from '../../store/store.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { printable } from '../show/output.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('name', {
        type: 'string',
        demandOption: true,
        describe: 'As `pkg pin list` shows it, or name@version',
      })
      .positional('cid', { type: 'string', describe: 'Only the pin of this CID, or of this version' })
      .option('all', { type: 'boolean', describe: 'All pins of that name' })
      .option('dry-run', { alias: 'n', type: 'boolean', describe: 'Only tell which' })
      .example('pkg pin remove backup', 'Then `pkg gc` may take what nothing else keeps')
      .example('pkg pin remove hello@1.0.0', 'Of several the one of that version'),
  async run({ name, cid: text, all = false, dryRun = false }, context) {
    const { removePin } = await import('../../pins/pins.ts')
    const store = await context.openStore()
    const chosen = await choose(store, { name, text, all }, context)
    const removed: Pin[] = dryRun ? chosen : []
    if (!dryRun) for (const { prog, cid } of chosen) removed.push(...(await removePin(store, { prog, cid })))
    return { dryRun, pins: removed.map(({ prog, ...pin }) => ({ name: prog, ...pin })) }
  },
  render: ({ dryRun, pins }, style) =>
    pins
      .map(({ name, cid }) => `${dryRun ? 'Would unpin' : 'Unpinned'} ${style.bold(printable(name))}: ${cid}`)
      .join('\n'),
})

/** What a subscription looks packages up in stays as long as it does: whoever wants both to go ends the subscription. */
async function requireNoSubscription(store: Store, pins: readonly Pin[]): Promise<void> {
  const [{ readSubscriptions, subscriptionPin }, { sameBlock }] = await Promise.all([
    import('../../registry/subscription.ts'),
    import('../../store/cid.ts'),
  ])
  const kept = readSubscriptions(store.paths).find(({ name, root }) =>
    pins.some(({ prog, cid }) => prog === subscriptionPin(name) && sameBlock(cid, root)),
  )
  if (kept === undefined) return
  throw new PkgError(
    'USAGE',
    `${subscriptionPin(kept.name)} keeps the registry ${kept.name}, which is in use`,
    {
      hint: `\`pkg registry remove ${shellWord(kept.name)}\` ends that, and the pin with it.`,
    },
  )
}

type Asked = { name: string; text: string | undefined; all: boolean }

/** Pins by their name, else by name and version; of several only what tells them apart, or --all. */
async function choose(store: Store, { name, text, all }: Asked, context: Context): Promise<Pin[]> {
  const [{ listPins, noPin }, { byVersion, isMeant, pinnedPackage }, { parseSpec }, { severalHere }] =
    await Promise.all([
      import('../../pins/pins.ts'),
      import('../../install/here.ts'),
      import('../../install/spec.ts'),
      import('../dag.ts'),
    ])
  checkVisibleName(name, 'name for a pin')
  const listed = await listPins(store, { user: userName() })
  const pins = listed.filter(({ kind }) => kind === 'pin')
  const called = (prog: string) => pins.filter((pin) => pin.prog === prog)
  const ofVersion = (some: readonly Pin[], range: string | undefined) => {
    return some.filter((pin) => isMeant(pinnedPackage(store.blocks, pin.cid).version, range))
  }
  let found = called(name)
  if (found.length === 0) {
    const [, prog = name, range] = /^(.+?)@(.+)$/s.exec(name) ?? []
    found = ofVersion(called(prog), range)
  }
  if (text !== undefined) found = await narrow(found, text)
  const auto = listed.find(({ kind, prog }) => kind === 'auto' && prog === name)
  if (found.length === 0 && auto !== undefined) {
    throw new PkgError('NOT_FOUND', `${name} is no pin: it is kept by the link ${auto.path}`, {
      hint: `As long as that link is there. Let go of it all the same: pkg roots drop ${shellWord(auto.path)}`,
    })
  }
  if (found.length === 0) throw noPin(userName(), name, text)
  await requireNoSubscription(store, found)
  if (all || found.length === 1) return found
  throw severalHere(
    name,
    found.map(({ cid }) => ({ ...pinnedPackage(store.blocks, cid), cid })).sort(byVersion),
    '; or all of them: --all',
  )

  async function narrow(some: Pin[], word: string): Promise<Pin[]> {
    const { sameBlock } = await import('../../store/cid.ts')
    const spec = parseSpec(word)
    if (spec.kind === 'name') return ofVersion(some, spec.range ?? spec.name)
    const { resolveDag } = await import('../dag.ts')
    try {
      const cid = await resolveDag(store, word, context)
      return some.filter((pin) => sameBlock(pin.cid, cid))
    } catch (error) {
      if (hasCode(error, 'NOT_FOUND')) return []
      throw error
    }
  }
}
