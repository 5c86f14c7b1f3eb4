// `pkg run`: a program straight from the store, held by a temp pin while it runs.

import { PkgError } from '../../errors.ts'
import type { Manifest } from '../../packages/manifest.ts'
import { defineCommand } from '../command.ts'
import { runProgram } from '../run-program.ts'
import { faultNotes } from '../show/fault-notes.ts'

export const command = defineCommand({
  // What the program writes is its own affair; our part has no result.
  streams: () => true,
  options: (argv) =>
    argv
      .positional('package', {
        type: 'string',
        demandOption: true,
        describe: 'A name, name@range, a CID, a path',
      })
      .option('program', { alias: 'p', type: 'string', requiresArg: true, describe: 'Which of its programs' })
      .option('as', {
        type: 'string',
        requiresArg: true,
        describe: 'name@version, for a directory without a manifest',
      })
      .option('registry', { type: 'string', requiresArg: true, describe: 'Look only in this one' })
      .usage('pkg run <package> [-- arguments of the program]\n\nRun a program without installing it')
      .example('pkg run esbuild -- --version', 'Ends with the program’s own exit status')
      .example('pkg run node@24 -p npx -- --help', 'Another program of a package'),
  async run({ package: spec, program, as, registry, '--': words = [] }, context) {
    const [{ lookUp }, { withAdd }, { readManifest }, { makeRunnable }, { storePath }] = await Promise.all([
      import('../../install/look-up.ts'),
      import('../../store/add/add.ts'),
      import('../../packages/package.ts'),
      import('../mounting.ts'),
      import('../../paths.ts'),
    ])
    const profile = await context.openProfile()
    const { store } = profile
    return await withAdd(store, async (add) => {
      const options = { as, registry, here: profile, signal: context.signal, onFault: faultNotes(context) }
      const [found] = await lookUp(add, [spec], options)
      if (!found) throw new PkgError('INTERNAL', `${spec} was not looked up`)
      const name = chooseProgram(readManifest(store.blocks, found.cid), program)
      await makeRunnable(context, store, found.cid)
      const path = storePath(context.paths, found.cid, 'bin', name)
      return { path, cid: found.cid, status: await runProgram(path, words, context.signals) }
    })
  },
  exitStatus: ({ status }) => status,
})

/** The one that was named, the only one, or the one that is called like the package. */
function chooseProgram({ name, version, programs }: Manifest, asked: string | undefined): string {
  const [first, ...more] = programs
  const hint = `Its programs: ${programs.join(', ') || 'none'}. Name one with --program.`
  if (asked !== undefined) {
    if (programs.includes(asked)) return asked
    throw new PkgError('NOT_FOUND', `${name}@${version} has no program ${JSON.stringify(asked)}`, { hint })
  }
  if (first !== undefined && more.length === 0) return first
  if (programs.includes(name)) return name
  throw new PkgError('USAGE', `which program of ${name}@${version} shall run?`, { hint })
}
