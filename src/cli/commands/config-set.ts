// `pkg config set`: changes one setting in `config.json`; only what fits is written.

import { defineCommand } from '../command.ts'
import { printable } from '../show/output.ts'
import { SETTING } from '../words/setting-word.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('setting', SETTING)
      .positional('value', {
        type: 'string',
        demandOption: true,
        describe: 'A number, or like 10G, 20%, 1d, off',
      })
      .example('pkg config set gc.minFree 20%', 'The daemon collects when less is free')
      .example('pkg config set gc.keep 5', 'And lets old generations go then'),
  async run({ setting, value }, { paths }) {
    const { changeSetting } = await import('../show/show-settings.ts')
    // What is all digits is a number in JSON.
    return await changeSetting(paths, setting, /^\d+$/.test(value) ? Number(value) : value)
  },
  render: ({ name, value, remark }, style) => `${style.bold(name)} is ${printable(String(value))}${remark}`,
  brief: ({ value }) => printable(String(value)),
})
