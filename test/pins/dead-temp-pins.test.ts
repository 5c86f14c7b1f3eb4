// What a full disk, a kill or a stranger leaves in pins/temp: it goes once its process is gone, and stops nobody.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import { processStart } from '../../src/files/process-id.ts'
import { temporaryStore } from '../helpers/store.ts'

/** No process has a pid above 2^22 (proc(5), pid_max). */
const NOBODY = '4194305-1-abc'
const MYSELF = `${process.pid}-${processStart(process.pid)}-abc`

/** An empty temp pin; an old one is nobody's who is about to write its header. */
async function storeWith(t: TestContext, name: string, { old }: { old: boolean }) {
  const store = await temporaryStore(t)
  const file = join(store.paths.tempPins, name)
  writeFileSync(file, '')
  if (old) utimesSync(file, 0, 0)
  return store
}

const cases = [
  { title: 'an empty temp pin of a dead process goes', name: NOBODY, old: true, left: [] },
  { title: 'one that was made just now stays', name: NOBODY, old: false, left: [NOBODY] },
  { title: 'one of a living process stays, however old', name: MYSELF, old: true, left: [MYSELF] },
]

for (const { title, name, old, left } of cases) {
  test(title, async (t) => {
    const store = await storeWith(t, name, { old })
    await runCollection(store)
    assert.deepEqual(readdirSync(store.paths.tempPins), left)
  })
}

test('strays in pins/temp stop no collection, and stay', async (t) => {
  const store = await storeWith(t, 'notes.txt', { old: true })
  const { paths } = store
  const at = (name: string) => join(paths.tempPins, name)
  mkdirSync(at('1-1-aa'))
  mkdirSync(at('directory'))
  symlinkSync('/dev/zero', at('1-1-bb'))
  assert.equal(spawnSync('mkfifo', [at('1-1-cc')]).status, 0)
  await runCollection(store)
  assert.deepEqual(readdirSync(paths.tempPins).sort(), [
    '1-1-aa',
    '1-1-bb',
    '1-1-cc',
    'directory',
    'notes.txt',
  ])
})

test('a temp pin that has no room for its header is not left behind', async (t) => {
  const { paths } = await temporaryStore(t)
  // `ulimit -f 0`: every write to a file fails, as on a full disk; with SIGXFSZ ignored by an error (setrlimit(2)).
  const module = new URL('../../src/store/add/temp-pin.ts', import.meta.url)
  const program = `
    process.on('SIGXFSZ', () => {})
    const { TempPin } = await import(${JSON.stringify(module.href)})
    try { new TempPin({ tempPins: ${JSON.stringify(paths.tempPins)} }) } catch (error) { console.log(error.code) }
  `
  const run = spawnSync(
    'sh',
    ['-c', 'ulimit -f 0; exec "$0" --input-type=module -e "$1"', process.execPath, program],
    {
      encoding: 'utf8',
    },
  )
  assert.equal(run.stdout, 'EFBIG\n')
  assert.deepEqual(readdirSync(paths.tempPins), [])
})

const spaces = [
  { title: 'another time namespace', args: ['--time', '--boottime', '100000', '--fork'], here: [] },
  { title: 'another pid namespace', args: ['--pid', '--fork', '--mount-proc'], here: [] },
  // Both in one new pid namespace, and neither with a /proc of it.
  { title: 'the same pid namespace, without its /proc', args: [], here: ['--pid', '--fork'] },
]

for (const { title, args, here } of spaces) {
  const works = spawnSync('unshare', [...args, ...here, 'true']).status === 0
  const skip = works ? false : 'no such namespace can be made here'
  test(`a temp pin of a living process in ${title} is alive`, { skip }, async (t) => {
    const { paths } = await temporaryStore(t)
    const module = JSON.stringify(new URL('../../src/store/add/temp-pin.ts', import.meta.url).href)
    const at = JSON.stringify({ tempPins: paths.tempPins })
    const makes = `const { TempPin } = await import(${module}); new TempPin(${at}); console.log('made'); process.stdin.resume()`
    const reads = `const { readTempPins } = await import(${module}); console.log(JSON.stringify(readTempPins(${at}).map(({ alive }) => alive)))`
    // In a new namespace pids are counted anew: from here on with such as the machine's /proc does not have.
    const script = `
      [ -n "$UNSHARE" ] || echo 4000000 >/proc/sys/kernel/ns_last_pid
      mkfifo "$1"
      $UNSHARE "$0" --input-type=module -e "$2" <"$1" >"$1.out" & exec 9>"$1"
      while ! [ -s "$1.out" ]; do sleep 0.05; done
      "$0" --input-type=module -e "$3"
      exec 9>&-; wait`
    const command = ['sh', '-c', script, process.execPath, join(paths.root, 'fifo'), makes, reads]
    const [program = 'sh', ...rest] = here.length > 0 ? ['unshare', ...here, ...command] : command
    const env = { ...process.env, UNSHARE: args.length > 0 ? `unshare ${args.join(' ')}` : '' }
    const child = spawn(program, rest, { env, stdio: ['ignore', 'pipe', 'inherit'] })
    const [said] = await once(child.stdout, 'data')
    assert.equal(String(said).trim(), '[true]')
    await once(child, 'exit')
  })
}
