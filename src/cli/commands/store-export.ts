// `pkg store export`: a DAG as a CAR (version 1), to a file or to standard output.

import { PkgError } from '../../errors.ts'
import { writeCar } from '../car-file.ts'
import { defineCommand } from '../command.ts'
import { count, formatBytes, printable, write } from '../show/output.ts'
import { bytesProgress } from '../show/steps.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('cid', {
        type: 'string',
        demandOption: true,
        describe: 'A CID or store path, and a path below',
      })
      .positional('file', { type: 'string', describe: 'The CAR file; "-" is standard output [<cid>.car]' })
      .option('force', {
        alias: 'f',
        type: 'boolean',
        describe: 'Replace the file if it is there; write to a terminal',
      })
      .example('pkg store export bafy… - | ssh host pkg store import -', 'To another machine'),
  async run({ cid: text, file, force }, context) {
    const [{ exportCar }, { closureSize }, { resolveHeldDag }] = await Promise.all([
      import('../../store/car/write.ts'),
      import('../../store/links/closure.ts'),
      import('../dag.ts'),
    ])
    const store = await context.openStore()
    const cid = await resolveHeldDag(store, text, context)
    const car = exportCar(store, cid, { signal: context.signal })
    if (file === '-' && process.stdout.isTTY && !force) {
      throw new PkgError('USAGE', 'a CAR file is not for a terminal', {
        hint: 'Send it to a file or a pipe, or insist with --force.',
      })
    }
    if (file === '-') {
      for await (const piece of car) await write(process.stdout, piece)
      return undefined
    }
    const { blocks, bytes: total } = closureSize(store, cid)
    const to = file ?? `${cid}.car`
    const progress = bytesProgress(context, 'Exporting')
    const onBytes = (written: number) => progress.update({ bytes: written, totalBytes: total })
    const bytes = await writeCar(car, to, { force, onBytes }).finally(progress.end)
    return { cid, file: to, blocks, bytes }
  },
  streams: ({ file }) => file === '-',
  about: (exported) => exported && `${count(exported.blocks, 'block')}, ${formatBytes(exported.bytes)}`,
  brief: (exported) => exported && printable(exported.file),
})
