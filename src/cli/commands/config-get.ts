// `pkg config get`: the value alone, for scripts.

import { defineCommand } from '../command.ts'
import { printable } from '../show/output.ts'
import { SETTING } from '../words/setting-word.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('setting', SETTING)
      .example('pkg config get gc.minFree', 'When the daemon begins to collect'),
  async run({ setting }, { paths }) {
    const { shownSetting } = await import('../show/show-settings.ts')
    return shownSetting(paths, setting)
  },
  render: ({ value }) => printable(String(value)),
  brief: ({ value }) => printable(String(value)),
})
