// Which links are shown absolute: those that leave their DAG for one beside it, and no others.

import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { prefixPaths } from '../../src/paths.ts'
import { physicalStore, shownTarget } from '../../src/store/shown-target.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

const STORE = '/p/store'
const CID = 'bafybeidsaxwnaxu3czv7mqgw2w2jz7u5diagutopgbuywdox3m2r6jvuym'
const V0 = 'QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn'

const SHOWN: [path: string, target: string, shown: string][] = [
  ['/bin/x', `../../${CID}/bin/x`, `/p/store/${CID}/bin/x`],
  ['/x', `../${CID}`, `/p/store/${CID}`],
  ['/share/man/man1/x.1', `../../../../${CID}/share/man/man1/x.1`, `/p/store/${CID}/share/man/man1/x.1`],
  ['/bin/x', `../../${V0}/bin/x`, `/p/store/${V0}/bin/x`],
  ['/bin/x', `../../${CID}/a/../b/`, `/p/store/${CID}/a/../b/`],
]

const AS_THEY_ARE: [path: string, target: string][] = [
  ['/bin/x', '../lib/x'],
  ['/bin/x', 'x-1.0'],
  ['/bin/x', '/usr/bin/x'],
  ['/bin/x', `/p/store/${CID}/bin/x`],
  // Not as far as the store, and beyond it.
  ['/bin/x', `../${CID}/bin/x`],
  ['/bin/x', `../../../${CID}/bin/x`],
  ['/bin/x', `../../../store/${CID}/bin/x`],
  ['/bin/x', '../../no-cid/bin/x'],
  ['/bin/x', '../..'],
  ['/bin/x', `../..//${CID}`],
  ['/bin/x', `./../../${CID}`],
  // A directory on the way may be a link.
  ['/bin/x', `a/../../../${CID}/bin/x`],
  ['/bin/x', `../../${CID}/${'y/'.repeat(2014)}`],
  // A DAG that is a link: its text is relative to the store itself.
  ['', `${CID}/bin/x`],
  ['', `../${CID}`],
]

for (const [path, target, shown] of SHOWN) {
  test(`${path} -> ${target} is shown as ${shown}`, () => {
    assert.equal(shownTarget(STORE, path, target), shown)
    assert.equal(shownTarget(STORE, path, shown), shown)
  })
}

for (const [path, target] of AS_THEY_ARE) {
  test(`${path || 'a root'} -> ${target.slice(0, 90)} is shown as it is`, () => {
    assert.equal(shownTarget(STORE, path, target), target)
  })
}

test('the store is named without the symlinks that lead to it', async (t) => {
  const directory = await temporaryDirectory(t)
  mkdirSync(join(directory, 'disk', 'prefix'), { recursive: true })
  symlinkSync('disk', join(directory, 'link'))
  assert.equal(
    physicalStore(prefixPaths(join(directory, 'link', 'prefix'))),
    join(directory, 'disk', 'prefix', 'store'),
  )
})
