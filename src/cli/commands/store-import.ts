// `pkg store import`: all blocks of a CAR, each hash checked.

import { namingCar, readCar } from '../car-file.ts'
import { defineCommand } from '../command.ts'
import { count, formatBytes, printable } from '../show/output.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('file', {
        type: 'string',
        demandOption: true,
        describe: 'A CAR file; "-" is standard input',
      })
      .option('pin', {
        type: 'string',
        requiresArg: true,
        describe: 'Keep its roots alive under this name; without a pin the next collection may take them',
      })
      .example('pkg store import backup.car --pin backup', 'Read it and keep it'),
  async run({ file, pin }, context) {
    const [{ withAdd }, { importCar }] = await Promise.all([
      import('../../store/add/add.ts'),
      import('../../store/car/read.ts'),
    ])
    const store = await context.openStore('add')
    const tasks = { reading: context.progress.task('Reading'), storing: context.progress.task('Storing') }
    return await withAdd(store, async (add) => {
      const imported = await importCar(add, readCar(file, context.signal), {
        signal: context.signal,
        onProgress: ({ phase, bytes }) => tasks[phase].update({ done: bytes }),
      }).catch((error) => {
        throw namingCar(file, error)
      })
      await add.commit(imported.complete)
      // While the temp pin is there: a collection beside us cannot take them in between.
      if (pin !== undefined) {
        const { addPin } = await import('../../pins/pins.ts')
        for (const cid of imported.roots) await addPin(store, { prog: pin, cid, partial: true })
      }
      const [cid] = imported.roots
      return { ...(cid && { cid }), ...imported, ...(pin === undefined ? {} : { pin }) }
    }).finally(() => {
      tasks.reading.end()
      tasks.storing.end()
    })
  },
  about({ roots, complete, blocks, bytes, newBlocks, pin }, style) {
    const whole = new Set(complete.map(String))
    const lines = roots
      .filter((root) => !whole.has(root.toString()))
      .map((root) => style.yellow(`not all of ${root} is here`))
    const kept = pin === undefined ? 'not pinned' : `pinned as ${printable(pin)}`
    lines.push(
      style.dim(
        `${count(blocks, 'block')}, ${formatBytes(bytes)}, ${newBlocks.toLocaleString('en')} new; ${kept}`,
      ),
    )
    return lines.join('\n')
  },
  afterInterrupt: 'What was added stays until `pkg gc`; adding it again goes on from there.',
  brief: ({ roots }) => roots.join('\n'),
})
