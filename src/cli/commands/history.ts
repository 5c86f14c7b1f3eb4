// `pkg history`: all generations, when each was made and what it changed.

import { summarize } from '../changes.ts'
import { defineCommand } from '../command.ts'
import { formatDate, table } from '../output.ts'

export const command = defineCommand({
  options: (argv) => argv.example('pkg history', 'Then: pkg switch 2, or pkg diff 1 2'),
  async run(_args, { readProfile }) {
    const { history } = await import('../../profiles/history.ts')
    return history(await readProfile())
  },
  render({ generations }, style) {
    if (generations.length === 0) return 'There is no generation yet: install something'
    const rows = generations.map(({ number, created, current, action, changes }) => [
      `${current ? style.green('*') : ' '} ${number}`,
      formatDate(created),
      action ?? '',
      changes ? summarize(changes) : style.red('cannot be read'),
    ])
    return table(['generation', 'made', 'by', 'changes'], rows, { style })
  },
  brief: ({ generations }) => generations.map(({ number }) => number).join('\n'),
})
