// `pkg init`: everything that has to be there before the first install. May be run again at any time.

import { EXIT, PkgError } from '../../errors.ts'
import type { PrefixPaths } from '../../paths.ts'
import { defineCommand } from '../command.ts'
import { isMissing } from '../mounting.ts'
import type { LoginStart } from '../shell/login-start.ts'
import { fields, printable } from '../show/output.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .option('modify-shell', {
        type: 'boolean',
        describe: 'Write the PATH line, and a prefix of your own, to your shell’s start-up file',
      })
      .option('start-at-login', {
        type: 'boolean',
        describe:
          'Have the daemon start at login, for root’s prefix at boot; --no-start-at-login takes that away',
      })
      .option('mount', {
        type: 'boolean',
        default: true,
        describe: 'Start the daemon, which mounts the store; --no-mount leaves it',
      })
      .option('force', {
        type: 'boolean',
        describe: 'Let ~/.pkg-profile leave another profile, also one that has generations',
      })
      .example('pkg init', 'Prefix, profile link, mount, and the line for your shell')
      .example('PKG_PREFIX=~/ipfs pkg init', 'A store of your own'),
  async run({ modifyShell = false, startAtLogin, mount: wanted, force = false }, context) {
    const [
      { moveProfileLink, readProfileLink, requireLeaving },
      { isInPath, PREFIX_LINE, prefixLine, programsDirectory, requirePathWord, shellLine },
      { addLine, hasLine, setMarkedLine },
      { loginStart, setLoginStart },
      { mountOrFallBack },
      { preparePrefix },
    ] = await Promise.all([
      import('../shell/profile-link.ts'),
      import('../shell/path-hint.ts'),
      import('../shell/shell-file.ts'),
      import('../shell/login-start.ts'),
      import('../mounting.ts'),
      import('../../daemon/client/open-store.ts'),
    ])
    const { env, paths } = context
    requirePathWord(env)
    const link = readProfileLink(context)
    if (!force) requireLeaving(link)
    if (startAtLogin === true && loginStart(paths, env) === undefined) throw startsElsewhere(paths)
    await preparePrefix(paths)
    moveProfileLink(link)
    const mount = wanted ? await mountOrFallBack(context) : undefined
    const shell = shellLine(env)
    const prefix = prefixLine(env, paths.root)
    const added = modifyShell && addLine(shell.file, shell.line)
    const modified = (modifyShell && setMarkedLine(shell.file, prefix, PREFIX_LINE)) || added
    const isServed = mount?.mode !== 'checkout' || startAtLogin === true
    const found = isServed ? loginStart(paths, env) : undefined
    const changed = found && startAtLogin !== undefined && (await setLoginStart(found, startAtLogin))
    const start = changed ? { ...found, starts: startAtLogin } : found
    return {
      prefix: paths.root,
      mountpoint: paths.store,
      profile: link.link,
      target: link.target,
      ...(link.leads !== undefined && link.leads !== link.target && { led: link.leads }),
      ...(mount && { mount }),
      ...(start && { start }),
      path: {
        directory: programsDirectory(env),
        inPath: isInPath(env),
        ...shell,
        modified,
        ...(prefix !== undefined && { prefixLine: prefix }),
        inFile: hasLine(shell.file, shell.line) && (prefix === undefined || hasLine(shell.file, prefix)),
      },
    }
  },
  render({ prefix, mountpoint, profile, target, led, mount, start, path }, style) {
    const checkouts = mount?.mode === 'checkout'
    const state = mount?.mounted ? style.green(mountpoint) : style.yellow(mount?.reason ?? 'not asked for')
    const lines = [
      ...(led === undefined
        ? []
        : [style.yellow(printable(`${profile} led to ${led}, now leads to ${target}`))]),
      fields(
        [
          ['prefix', prefix],
          ['profile', profile],
          checkouts ? ['store', `${style.green(mountpoint)}: real trees (checkout mode)`] : ['mount', state],
          [start?.when === 'boot' ? 'at boot' : 'at login', start && describeStart(start)],
          ['because', checkouts ? mount.reason : undefined],
          ['hint', isMissing(mount) ? (mount?.hint ?? 'See `pkg doctor`.') : undefined],
        ],
        style,
      ),
    ]
    const missing = [
      ...(path.inPath ? [] : [path.line]),
      ...(path.prefixLine === undefined || (path.inPath && path.inFile && !path.modified)
        ? []
        : [path.prefixLine]),
    ]
    if (missing.length > 0) {
      lines.push('', whereTheLineIs(path), '', ...missing.map((line) => `  ${style.bold(printable(line))}`))
    }
    return lines.join('\n')
  },
  brief: ({ prefix }) => prefix,
  exitStatus: ({ mount }) => (isMissing(mount) ? EXIT.unavailable : EXIT.ok),
})

function describeStart({ starts, file }: LoginStart): string {
  if (starts) return printable(`the daemon starts, by ${file}`)
  return printable(`the daemon does not start; \`pkg init --start-at-login\` writes ${file} for that`)
}

function startsElsewhere({ root }: PrefixPaths): PkgError {
  return new PkgError('PERMISSION', `the daemon of ${root} is its owner’s to start`, {
    hint: 'Have the owner run `pkg init --start-at-login`.',
  })
}

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
