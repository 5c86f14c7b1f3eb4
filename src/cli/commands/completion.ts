// `pkg completion`: the script that a shell loads once; see ../completion.ts.

import { PkgError } from '../../errors.ts'
import { defineCommand } from '../command.ts'
import { SCRIPTS, type Shell } from '../words/completion.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('shell', {
        type: 'string',
        demandOption: true,
        describe: 'bash, zsh or fish',
      })
      .example('source <(pkg completion bash)', 'In ~/.bashrc')
      .example('pkg completion zsh > ~/.zfunc/_pkg', 'With ~/.zfunc in fpath')
      .example('pkg completion fish > ~/.config/fish/completions/pkg.fish', ''),
  async run({ shell }) {
    const script = SCRIPTS[shell as Shell]
    if (script !== undefined) return { shell, script }
    throw new PkgError('USAGE', `there is no completion for ${JSON.stringify(shell)}`, {
      hint: `There is one for: ${Object.keys(SCRIPTS).join(', ')}.`,
    })
  },
  render: ({ script }) => script.trimEnd(),
  brief: ({ script }) => script.trimEnd(),
})
