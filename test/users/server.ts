// The daemon's API of one prefix, in a process of its own: `<prefix>`. Says READY, ends with its standard input.

import { listenApi } from '../../src/daemon/api/api.ts'
import { fixUmask } from '../../src/files/modes.ts'
import { Store } from '../../src/store/store.ts'

fixUmask()
const store = Store.open(process.argv[2] as string)
const log = (text: string) => void process.stderr.write(`${text}\n`)
const api = await listenApi(store.paths, { store, log, status: async () => ({ format: 1 }) })
process.stdout.write('READY\n')
process.stdin
  .on('end', () => {
    api.close()
    store.close()
  })
  .resume()
