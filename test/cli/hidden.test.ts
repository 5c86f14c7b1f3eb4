// What the binding cannot show is said, never left out without a word: names that are not UTF-8,
// names that no path can hold, files beyond 2^53 - 1 bytes.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Dag } from '../fixtures/dag.ts'
import { car } from '../helpers/store.ts'
import { sandbox } from './harness.ts'

const box = await sandbox({ after })
const dag = new Dag()
const vast = dag.file([
  { cid: dag.raw('first'), size: 2 ** 53 - 1 },
  { cid: dag.raw('second'), size: 2 ** 53 - 1 },
])
const broken = dag.directory([
  { name: 'good', cid: dag.raw('good') },
  { name: Uint8Array.of(0x66, 0xe9), cid: dag.raw('latin-1') },
  { name: 'a/b', cid: dag.raw('slash') },
  { name: 'vast', cid: vast },
])
const manifest = { format: 1, name: 'odd', version: '1.0.0', programs: [] }
const root = dag.directory({
  '.pkg': dag.directory({ 'manifest.json': dag.raw(JSON.stringify(manifest)) }),
  share: dag.directory({ odd: broken }),
})

async function importAll(): Promise<void> {
  const file = join(box.directory, 'odd.car')
  writeFileSync(file, car([root], dag.blocks.values()))
  await box.brief('store', 'import', file)
}

test('store ls names each, and its status tells', async () => {
  await importAll()
  for (const words of [[], ['--long']]) {
    const { status, stdout } = await box.run(['store', 'ls', `${root}/share/odd`, ...words])
    assert.equal(status, 4)
    assert.match(stdout, /^.*good$/m)
    assert.match(stdout, /not as a file: "f\S+" is not UTF-8/)
    assert.match(stdout, /not as a file: "a\/b" holds a slash/)
    assert.match(stdout, /not as a file: vast cannot be shown: .*2\^53/)
  }
  const quiet = await box.run(['store', 'ls', `${root}/share/odd`, '--quiet'])
  assert.deepEqual([quiet.status, quiet.stdout], [4, 'good\nvast\n'])
  assert.equal((await box.run(['store', 'ls', `${root}/share`])).status, 0)
})

test('doctor tells them of what is installed', async () => {
  await importAll()
  const before = await box.run(['doctor'])
  assert.doesNotMatch(before.stdout, /cannot see/)
  const installed = await box.run(['install', String(root)])
  assert.ok([0, 8].includes(installed.status ?? -1), installed.stderr)
  const { stdout } = await box.run(['doctor'])
  assert.match(stdout, /what programs cannot see: .*share\/odd\/.* of odd: its name is not UTF-8/)
  assert.match(stdout, /share\/odd\/vast of odd: .*2\^53/)
})
