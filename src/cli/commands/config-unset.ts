// `pkg config unset`: takes a setting out of `config.json`.

import { defineCommand } from '../command.ts'
import { printable } from '../show/output.ts'
import { SETTING } from '../words/setting-word.ts'

export const command = defineCommand({
  options: (argv) =>
    argv.positional('setting', SETTING).example('pkg config unset gc.keep', 'All generations stay again'),
  async run({ setting }, { paths }) {
    const { resetSetting } = await import('../show/show-settings.ts')
    return (await resetSetting(paths, setting)) ?? { name: setting, path: paths.config }
  },
  render(result, style) {
    const name = style.bold(printable(result.name))
    if ('path' in result) return `${name} is no setting, and not in ${printable(result.path)} any more`
    return `${name} is ${printable(String(result.value))}${result.remark}`
  },
})
