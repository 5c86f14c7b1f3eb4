// `--as` where a package is looked up: for one directory without a manifest.

import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { installPackages } from '../../src/install/install.ts'
import { upgradePackages } from '../../src/install/upgrade.ts'
import { openProfile } from '../../src/profiles/profile.ts'
import { installedPackages } from '../../src/profiles/read-installed.ts'
import { createPackage, openHome } from './home.ts'

async function openMachine(t: TestContext) {
  const { store, directory } = await openHome(t)
  const source = join(directory, 'source')
  mkdirSync(join(source, 'bin'), { recursive: true })
  const write = (text: string) =>
    writeFileSync(join(source, 'bin/hello'), `#!/bin/sh\necho ${text}\n`, { mode: 0o755 })
  write('one')
  return { store, source, write, profile: openProfile(store, { path: join(directory, 'profile') }) }
}

test('a directory without a manifest is installed as name@version, and an upgrade packs it so again', async (t) => {
  const { source, write, profile } = await openMachine(t)
  await installPackages(profile, [source], { as: 'hello@1.0.0' })
  const [one] = installedPackages(profile)
  assert.deepEqual([one?.name, one?.version, one?.requested], ['hello', '1.0.0', source])
  assert.equal((await upgradePackages(profile)).changed, false)
  write('two')
  assert.deepEqual(
    (await upgradePackages(profile)).changes.map(({ kind, after }) => [kind, after?.version]),
    [['changed', '1.0.0']],
  )
})

test('--as goes with one directory that is not in the store', async (t) => {
  const { store, source, profile } = await openMachine(t)
  const cid = await createPackage(store, 'tool', '1.0.0')
  const wrong = [[source, source], [String(cid)], [join(store.paths.store, String(cid))], ['hello'], []]
  for (const specs of wrong) {
    const install = installPackages(profile, specs, { as: 'hello@1.0.0' })
    await assert.rejects(install, { code: 'USAGE', message: /--as/ }, specs.join())
  }
})
