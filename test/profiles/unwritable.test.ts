// A profile that this user may not change says whose it is, and is left as it was.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { makeProgram, outcome, SHELL_WORDS, sandbox } from '../cli/harness.ts'

const box = await sandbox({ after })
const profile = join(box.directory, 'profile')
const cid = await box.brief('pack', makeProgram(join(box.directory, 'tree'), 'tool', 'hi'), '--as', 'a@1.0.0')
await box.brief('install', cid, '--profile', profile)
await box.brief('remove', 'a', '--profile', profile)
chmodSync(box.directory, 0o755)

const isRoot = process.getuid?.() === 0
const hasSetpriv = spawnSync('setpriv', ['--version']).status === 0

for (const words of ['switch 1', 'rollback']) {
  test(`${words} of somebody else's profile`, {
    skip: !(isRoot && hasSetpriv) && 'needs root and setpriv(1)',
  }, async () => {
    const line = `exec setpriv --reuid 65534 --regid 65534 --clear-groups ${SHELL_WORDS} ${words} --profile ${profile}`
    const { status, stderr } = await outcome(['sh', '-c', line], { cwd: box.directory, env: box.env })
    assert.equal(status, 7)
    assert.match(stderr, /^pkg: the profile .*\/profile belongs to root\nhint: Only its owner changes it/)
    assert.equal(readlinkSync(join(profile, 'current')), 'generations/2')
  })

  test(`${words} on a file system that is read-only`, {
    skip: !isRoot && 'only root can mount',
  }, async () => {
    for (const place of [profile, box.prefix]) {
      // In a mount namespace of its own: it goes with the process, however that ends.
      const line = `mount --bind ${place} ${place} && mount -o remount,ro,bind ${place} && exec ${SHELL_WORDS} ${words} --profile ${profile}`
      const { status, stderr } = await outcome(['unshare', '-m', 'sh', '-c', line], {
        cwd: box.directory,
        env: box.env,
      })
      assert.equal(status, 7)
      assert.match(stderr, /^pkg: the profile .* cannot be changed: .* is read-only\nhint: /)
      assert.equal(readlinkSync(join(profile, 'current')), 'generations/2')
    }
  })
}
