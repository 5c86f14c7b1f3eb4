// `pkg unpublish`: takes back what was published. Who has it installed keeps it.

import { PkgError } from '../../errors.ts'
import { shellWord } from '../../paths.ts'
import { defineCommand } from '../command.ts'
import { count, printable } from '../show/output.ts'
import { OWN_REGISTRY } from '../words/registry-options.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('package', {
        type: 'string',
        demandOption: true,
        describe: 'name@version; the name alone where there is one version',
      })
      .option('registry', OWN_REGISTRY)
      .option('all', { type: 'boolean', describe: 'All versions of that name' })
      .example('pkg unpublish hello@1.0.0 --registry ./reg', 'Its blocks stay pinned: pkg pin remove'),
  async run({ package: text, registry, all = false }, context) {
    const [{ unpublish }, { openRegistry }, { readRecord }, { parseSpec }] = await Promise.all([
      import('../../registry/publish.ts'),
      import('../../registry/directory.ts'),
      import('../../registry/tree.ts'),
      import('../../install/spec.ts'),
    ])
    const spec = parseSpec(text)
    if (spec.kind !== 'name') {
      throw new PkgError('USAGE', `${text} is no name of a package`, {
        hint: 'For example: pkg unpublish hello@1.0.0 --registry ./reg',
      })
    }
    const { name, range: version } = spec
    const store = await context.openStore('change')
    const before = readRecord(store.blocks, openRegistry(store, registry).root, name)?.versions ?? []
    const versions = version === undefined ? before.map((one) => one.version) : [version]
    if (versions.length > 1 && !all) {
      const named = versions.map((one) => `${name}@${one}`).join(', ')
      throw new PkgError('USAGE', `${name} has ${versions.length} versions in ${registry}`, {
        hint: `Name one of them: ${named}; or all of them: --all`,
      })
    }
    const cid = await unpublish(store, registry, name, version)
    const pins = versions.length === 1 ? shellWord(`${name}@${versions[0]}`) : `${shellWord(name)} --all`
    context.note(
      `Subscribers see it by \`pkg registry update\`; what is installed or pinned stays: \`pkg pin remove ${pins}\``,
    )
    return { name, versions, cid, registry }
  },
  render: ({ name, versions, cid, registry }, style) => {
    const what = versions.length > 1 ? count(versions.length, 'version') : versions.join()
    return `Took ${style.bold(`${name} ${what}`)} out of ${printable(registry)}\n${style.dim(`registry ${cid}`)}`
  },
  brief: ({ cid }) => cid.toString(),
})
