// `pkg completion`: the script that a shell loads once; see ../completion.ts.

import { defineCommand } from '../command.ts'
import { SCRIPTS, type Shell } from '../completion.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('shell', {
        choices: Object.keys(SCRIPTS) as Shell[],
        demandOption: true,
        describe: 'The shell that shall load it',
      })
      .example('source <(pkg completion bash)', 'In ~/.bashrc')
      .example('pkg completion zsh > ~/.zfunc/_pkg', 'With ~/.zfunc in fpath')
      .example('pkg completion fish > ~/.config/fish/completions/pkg.fish', ''),
  run: async ({ shell }) => ({ shell, script: SCRIPTS[shell] }),
  render: ({ script }) => script.trimEnd(),
  brief: ({ script }) => script.trimEnd(),
})
