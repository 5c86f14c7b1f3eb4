// `pkg publish`: a package into a registry that one keeps.

import { existsSync } from 'node:fs'
import { hasCode, PkgError } from '../../errors.ts'
import { shellWord } from '../../paths.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { faultNotes } from '../fault-notes.ts'
import { printable } from '../output.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('package', {
        type: 'string',
        demandOption: true,
        describe: 'The package’s CID, or a path into the store',
      })
      .option('registry', {
        type: 'string',
        demandOption: true,
        requiresArg: true,
        describe: 'The registry’s directory',
      })
      .option('replace', { type: 'boolean', describe: 'Let another CID take the place of this version' })
      .example('pkg publish bafy… --registry ./reg', 'Its manifest says name, version and platforms'),
  async run({ package: text, registry, replace }, context) {
    const [{ publish }, { resolveHeldDag }, { versionFaults }] = await Promise.all([
      import('../../registry/publish.ts'),
      import('../dag.ts'),
      import('../../packages/faults.ts'),
    ])
    const store = await context.openStore('change')
    const published = await publish(store, registry, packageAt(text), { replace })
    // What it was packed with was told then; how its version is ordered matters here.
    const faults = versionFaults(published)
    faults.forEach(faultNotes(context))
    if (published.changed) await noteOthers(published.name, context)
    return { ...published, registry, faults }

    function packageAt(spec: string) {
      try {
        return resolveHeldDag(store, spec)
      } catch (cause) {
        if (!hasCode(cause, 'BAD_CID') || !existsSync(spec)) throw cause
        throw new PkgError('BAD_CID', cause.message, {
          hint: `Make a package of it first: pkg pack ${shellWord(spec)}`,
          cause,
        })
      }
    }
  },
  render: ({ name, version, root, registry, changed }, style) =>
    changed
      ? `Published ${style.bold(`${name} ${version}`)} in ${printable(registry)}\n${style.dim(`registry ${root}`)}`
      : `${name} ${version} is in ${printable(registry)} already`,
  brief: ({ root }) => root.toString(),
})

/** A package that is packed or published stays pinned until somebody lets go of it. */
async function noteOthers(name: string, { paths, note }: Context): Promise<void> {
  const [{ listPins }, { userName }] = await Promise.all([
    import('../../pins/pins.ts'),
    import('../../paths.ts'),
  ])
  const pinned = listPins({ paths }, { user: userName() }).filter((pin) => {
    return pin.kind === 'pin' && pin.prog === name
  })
  if (pinned.length < 2) return
  note(
    `${pinned.length} versions of ${name} are pinned, and stay: \`pkg pin list\` shows their sizes and dates,\n` +
      `\`pkg pin remove ${shellWord(name)} <cid>\` lets go of one, which a collection then takes unless something else keeps it`,
  )
}
