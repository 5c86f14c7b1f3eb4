import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, lchownSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { requireOwnPlace } from '../../src/files/own-place.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

/** Far from what a machine gives to people. */
const OTHER = 64_001

const skip = process.getuid?.() === 0 ? false : 'only root is refused'

for (const [what, make, right] of [
  ['a directory of root’s', () => {}, true],
  ['one that is not there yet', (at: string) => lchownSync(at, 0, 0), true],
  ['another’s', (at: string) => lchownSync(`${at}/a/b`, OTHER, OTHER), false],
  ['one in another’s', (at: string) => lchownSync(`${at}/a`, OTHER, OTHER), false],
  ['one that everybody may write', (at: string) => chmodSync(`${at}/a`, 0o777), false],
  ['one in a sticky one', (at: string) => chmodSync(`${at}/a`, 0o1777), true],
] as const) {
  test(`root and ${what}`, { skip }, async (t) => {
    const at = await temporaryDirectory(t)
    mkdirSync(join(at, 'a', 'b'), { recursive: true })
    make(at)
    for (const path of [join(at, 'a', 'b'), join(at, 'a', 'b', 'not', 'there')]) {
      if (right) requireOwnPlace(path)
      else assert.throws(() => requireOwnPlace(path), { code: 'PERMISSION' })
    }
  })
}

test('root and a link of another’s, or a circle of links', { skip }, async (t) => {
  const at = await temporaryDirectory(t)
  symlinkSync('/', join(at, 'link'))
  requireOwnPlace(join(at, 'link', 'x'))
  lchownSync(join(at, 'link'), OTHER, OTHER)
  assert.throws(() => requireOwnPlace(join(at, 'link', 'x')), { code: 'PERMISSION' })
  symlinkSync('circle', join(at, 'circle'))
  requireOwnPlace(join(at, 'circle'))
})

test('root of a user namespace, to whom the machine’s own directories are nobody’s', (t) => {
  const module = new URL('../../src/files/own-place.ts', import.meta.url).href
  const source = `const { requireOwnPlace } = await import(${JSON.stringify(module)}); requireOwnPlace('/usr/lib')`
  const as = process.getuid?.() === 0 ? { uid: OTHER, gid: OTHER } : {}
  const shell = (words: string[]) =>
    spawnSync('unshare', ['-r', ...words], { ...as, cwd: '/', encoding: 'utf8' })
  if (
    shell([process.execPath, '--input-type=module', '-e', `await import(${JSON.stringify(module)})`])
      .status !== 0
  )
    return t.skip('no user namespace can be made here by a user who reads this checkout')
  assert.equal(shell(['stat', '-c', '%u', '/']).stdout.trim(), '65534')
  const { status, stderr } = shell([process.execPath, '--input-type=module', '-e', source])
  assert.equal(status, 0, stderr)
})
