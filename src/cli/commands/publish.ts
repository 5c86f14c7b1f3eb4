// `pkg publish`: a package into a registry that one keeps.

import { describeBuild } from '../../install/here.ts'
import { shellWord } from '../../paths.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { faultNotes } from '../show/fault-notes.ts'
import { printable } from '../show/output.ts'
import { OWN_REGISTRY } from '../words/registry-options.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('package', {
        type: 'string',
        demandOption: true,
        describe: 'A CID, a store path, the name of what is installed or pinned',
      })
      .option('registry', OWN_REGISTRY)
      .option('replace', { type: 'boolean', describe: 'Let another CID take the place of this version' })
      .example('pkg publish bafy… --registry ./reg', 'Its manifest says name, version and platforms'),
  async run({ package: text, registry, replace }, context) {
    const [{ publish }, { resolveHeldDag }, { versionFaults }] = await Promise.all([
      import('../../registry/publish.ts'),
      import('../dag.ts'),
      import('../../packages/faults.ts'),
    ])
    const store = await context.openStore('change')
    const cid = await resolveHeldDag(store, text, context)
    const published = await publish(store, registry, cid, { replace })
    // What it was packed with was told then; how its version is ordered matters here.
    const faults = versionFaults(published)
    faults.forEach(faultNotes(context))
    if (published.changed) await noteOthers(published.name, context)
    return { ...published, registry, faults }
  },
  about: ({ name, version, platforms, registry, changed }, style) =>
    changed
      ? `Published ${style.bold(`${name} ${describeBuild({ version, platforms })}`)} in ${printable(registry)}, whose CID this is now`
      : `${name} ${describeBuild({ version, platforms })} is in ${printable(registry)} already; that is the registry’s CID`,
  brief: ({ root }) => root.toString(),
})

/** A package that is packed or published stays pinned until somebody lets go of it. */
async function noteOthers(name: string, { paths, note }: Context): Promise<void> {
  const [{ listPins }, { userName }] = await Promise.all([
    import('../../pins/pins.ts'),
    import('../../paths.ts'),
  ])
  const pinned = (await listPins({ paths }, { user: userName() })).filter((pin) => {
    return pin.kind === 'pin' && pin.prog === name
  })
  if (pinned.length < 2) return
  note(
    `${pinned.length} builds of ${name} are pinned, and stay: \`pkg pin list\` shows their versions, sizes and dates,\n` +
      `\`pkg pin remove ${shellWord(name)}@<version>\` lets go of one, which a collection then takes unless something else keeps it`,
  )
}
