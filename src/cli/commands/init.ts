// `pkg init`: everything that has to be there before the first install. May be run again at any time.

import { EXIT } from '../../errors.ts'
import { defineCommand } from '../command.ts'
import { fields } from '../output.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .option('modify-shell', {
        type: 'boolean',
        describe: 'Write the PATH line to your shell’s start-up file',
      })
      .option('mount', {
        type: 'boolean',
        default: true,
        describe: 'Start the daemon, which mounts the store',
      })
      .example('pkg init', 'Prefix, profile link, mount, and the line for your shell')
      .example('PKG_PREFIX=~/ipfs pkg init', 'A store of your own'),
  async run({ modifyShell = false, mount: wanted }, context) {
    const [
      { ensureProfileLink },
      { isInPath, programsDirectory, shellLine },
      { addLine, hasLine },
      { tryMount },
    ] = await Promise.all([
      import('../profile-link.ts'),
      import('../path-hint.ts'),
      import('../shell-file.ts'),
      import('../mounting.ts'),
    ])
    const { env, paths } = context
    await context.openStore()
    const { link } = ensureProfileLink(paths, { env, replace: true })
    const mount = wanted ? await tryMount(context) : undefined
    const shell = shellLine(env)
    const modified = modifyShell && addLine(shell.file, shell.line)
    return {
      prefix: paths.root,
      mountpoint: paths.store,
      profile: link,
      ...(mount && { mount }),
      path: {
        directory: programsDirectory(env),
        inPath: isInPath(env),
        ...shell,
        modified,
        inFile: hasLine(shell.file, shell.line),
      },
    }
  },
  render({ prefix, mountpoint, profile, mount, path }, style) {
    const state = mount?.mounted ? style.green(mountpoint) : style.yellow(mount?.reason ?? 'not asked for')
    const lines = [
      fields(
        [
          ['prefix', prefix],
          ['profile', profile],
          ['mount', state],
          ['hint', mount?.mounted === false ? (mount.hint ?? 'See `pkg doctor`.') : undefined],
        ],
        style,
      ),
    ]
    if (!path.inPath) lines.push('', whereTheLineIs(path), '', `  ${style.bold(path.line)}`)
    return lines.join('\n')
  },
  brief: ({ prefix }) => prefix,
  exitStatus: ({ mount }) => (mount?.mounted === false ? EXIT.unavailable : EXIT.ok),
})

function whereTheLineIs({
  modified,
  inFile,
  file,
}: {
  modified: boolean
  inFile: boolean
  file: string
}): string {
  if (modified) return `Written to ${file} for new shells. For this one:`
  if (inFile) return `New shells have it from ${file}. For this one:`
  return `For your shell (\`pkg init --modify-shell\` writes it to ${file}):`
}
