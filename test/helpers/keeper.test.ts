// A test process that is killed leaves nothing: no directory, no daemon, no mount.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fuseObstacle } from '../../src/mount/requirements.ts'

const HARNESS = join(import.meta.dirname, '..', 'cli', 'harness.ts')
const DEADLINE_MS = 60_000

test('killed with a mounted prefix', { skip: fuseObstacle()?.detail ?? false }, async () => {
  const script = `import { sandbox } from ${JSON.stringify(HARNESS)}
    const box = await sandbox({ after() {} })
    const { status, stderr } = await box.run(['init'])
    console.log(JSON.stringify({ directory: box.directory, status, stderr }))
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(child.stdout, 'data')
  const { directory, status, stderr } = JSON.parse(String(line))
  assert.equal(status, 0, stderr)
  const mounted = () => readFileSync('/proc/mounts', 'utf8').includes(` ${directory}/`)
  assert.ok(mounted())
  const daemon = Number(readFileSync(join(directory, 'prefix/var/daemon.pid'), 'utf8').split('\n')[0])
  child.kill('SIGKILL')
  await once(child, 'exit')
  const left = () => existsSync(directory) || mounted() || existsSync(`/proc/${daemon}/root`)
  for (const deadline = Date.now() + DEADLINE_MS; left() && Date.now() < deadline; ) await delay(50)
  assert.ok(!left())
})
