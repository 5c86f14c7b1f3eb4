// The umask of whoever makes a prefix decides neither who may change it nor, where root made it, who may read it.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { modesCheck } from '../../src/daemon/doctor/modes.ts'
import { prefixPaths } from '../../src/paths.ts'
import { temporaryStore } from '../helpers/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

const isRoot = process.getuid?.() === 0
const source = (file: string) => JSON.stringify(new URL(`../../src/${file}`, import.meta.url).href)

/** A prefix with everything in it that commands and the daemon make. */
const USE = `
  import { mkdirSync, writeFileSync } from 'node:fs'
  import { packDirectory } from ${source('packages/pack.ts')}
  import { changeProfile } from ${source('profiles/change.ts')}
  import { installedPackage } from ${source('profiles/installed.ts')}
  import { openProfile } from ${source('profiles/profile.ts')}
  import { addPin } from ${source('pins/pins.ts')}
  import { createRegistry } from ${source('registry/directory.ts')}
  import { addRegistry } from ${source('registry/subscribe.ts')}
  import { writePidFile } from ${source('files/pid-file.ts')}
  import { Store } from ${source('store/store.ts')}
  const [directory] = process.argv.slice(1)
  const store = Store.open(directory + '/prefix')
  mkdirSync(directory + '/hello/bin', { recursive: true })
  writeFileSync(directory + '/hello/bin/hello', '#!/bin/sh', { mode: 0o755 })
  const { cid, manifest } = await packDirectory(store, directory + '/hello', { as: 'hello@1.0.0' })
  await addPin(store, { prog: 'test', cid })
  await changeProfile(openProfile(store), () => [installedPackage(manifest, cid, {})], { action: 'install' })
  await createRegistry(store, directory + '/registry')
  await addRegistry(store, { name: 'main', source: directory + '/registry' })
  writePidFile(store.paths.daemonPid)
  store.close()`

/** All but symlinks; Node's own recursive listing goes through those. */
function walk(directory: string): { path: string; mode: number; isDirectory: boolean }[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name)
    if (entry.isSymbolicLink()) return []
    const isDirectory = entry.isDirectory()
    return [{ path, mode: lstatSync(path).mode & 0o7777, isDirectory }, ...(isDirectory ? walk(path) : [])]
  })
}

for (const umask of ['000', '022', '077']) {
  test(`a prefix that was made under umask ${umask} is its owner's to write`, async (t) => {
    const directory = await temporaryDirectory(t)
    const command = `umask ${umask} && exec "$0" --input-type=module -e "$1" "$2"`
    const { status, stderr } = spawnSync('/bin/sh', ['-c', command, process.execPath, USE, directory])
    assert.equal(status, 0, String(stderr))
    const { root, blocks, store, index } = prefixPaths(join(directory, 'prefix'))
    const all = [{ path: root, mode: lstatSync(root).mode & 0o7777, isDirectory: true }, ...walk(root)]
    assert.ok(all.length > 1030)
    for (const { path, mode, isDirectory } of all) {
      assert.equal(mode & 0o022, 0, `${path} is ${mode.toString(8)}`)
      // A journal is read by nobody else than its profile's owner.
      if (!isRoot || path.endsWith('journal.jsonl')) continue
      // Checkouts have the modes of their DAGs.
      if (path.startsWith(`${store}/`)) continue
      // What is locked is nobody else's to open.
      const isLocked = path === index || path.startsWith(`${index}-`)
      const expected = isDirectory
        ? 0o755
        : isLocked
          ? 0o600
          : path.startsWith(blocks) && !path.endsWith('/.stable')
            ? 0o444
            : 0o644
      assert.equal(mode.toString(8), expected.toString(8), path)
    }
  })
}

test('doctor names what others may write, and what they may not read', async (t) => {
  const { paths } = await temporaryStore(t)
  chmodSync(paths.root, 0o755)
  assert.equal(modesCheck(paths).ok, true)
  if (isRoot) {
    chmodSync(paths.blocks, 0o700)
    assert.deepEqual([modesCheck(paths).ok, modesCheck(paths).hint], ['note', `chmod go+rx ${paths.blocks}`])
  }
  chmodSync(paths.pins, 0o775)
  chmodSync(join(paths.blocks, 'aa'), 0o777)
  const { ok, detail, hint } = modesCheck(paths)
  assert.equal(ok, false)
  assert.match(detail, /pins and 1 more/)
  assert.equal(hint, `chmod go-w ${paths.pins} ${paths.blocks}/??`)
})
