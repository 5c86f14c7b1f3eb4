// `pkg which`: from a program's name to its package, by the blocks: no mount is asked.

import { join } from 'node:path'
import { PkgError } from '../../errors.ts'
import type { Profile, ProfileStore } from '../../profiles/profile.ts'
import type { CID } from '../../store/cid.ts'
import { defineCommand } from '../command.ts'
import { programsDirectory } from '../shell/path-hint.ts'
import { fields, printable } from '../show/output.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('program', { type: 'string', demandOption: true, describe: 'A name in the profile’s bin/' })
      .example('pkg which esbuild', 'Link, store path, package, version, generation'),
  async run({ program }, context) {
    const { readProfile, paths, env, profilePath } = context
    const [{ currentPackages }, { checkName, shellWord, storePath }, { suggest }] = await Promise.all([
      import('../../profiles/read-installed.ts'),
      import('../../paths.ts'),
      import('../../install/suggest.ts'),
    ])
    checkName(program, 'program')
    const profile = await readProfile()
    const { generation, installed: packages = [] } = currentPackages(profile) ?? {}
    const link = generation && (await linkOf(profile, generation.cid, program))
    if (!generation || link === undefined) {
      const near = suggest(
        program,
        packages.flatMap(({ programs }) => programs),
      )
      throw new PkgError('NOT_FOUND', `no installed package has a program ${JSON.stringify(program)}`, {
        hint:
          near.length > 0
            ? `Did you mean ${near.join(', ')}?`
            : `\`pkg list\` shows what is installed; look for a package that has it: pkg search ${shellWord(program)}`,
      })
    }
    const { noteNotServed } = await import('../mounting.ts')
    const owner = packages.find(({ cid }) => link.cid === cid.toString())
    return {
      program,
      link: join(
        profilePath === undefined ? programsDirectory(env) : join(profile.dir, 'current', 'bin'),
        program,
      ),
      path: storePath(paths, { toString: () => link.cid }, link.path),
      package: owner?.name,
      version: owner?.version,
      cid: owner?.cid,
      generation: generation.number,
      ...noteNotServed(context),
    }
  },
  about: ({ link, package: name, version, generation }, style) =>
    fields(
      [
        ['link', printable(link)],
        ['package', name && style.bold(name)],
        ['version', version],
        ['generation', String(generation)],
      ],
      style,
    ),
  brief: ({ path }) => printable(path),
})

/** Where the environment's `bin/<program>` leads, `../../<cid>/<path>`; undefined when there is none. */
async function linkOf(
  { store }: Profile<ProfileStore>,
  environment: CID,
  program: string,
): Promise<{ cid: string; path: string } | undefined> {
  const [{ resolvePath }, { hasCode }] = await Promise.all([
    import('../../store/unixfs/resolve.ts'),
    import('../../errors.ts'),
  ])
  try {
    const { node } = resolvePath(store.blocks, environment, `bin/${program}`)
    const [, cid, path] =
      (node.type === 'symlink' && /^(?:\.\.\/)+([^./][^/]*)\/(.*)$/s.exec(node.target)) || []
    return cid === undefined || path === undefined ? undefined : { cid, path }
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND')) return undefined
    throw error
  }
}
