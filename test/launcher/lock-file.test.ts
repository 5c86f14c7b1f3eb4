// The lock file is whole: npm 11's `npm ci` refuses one that lacks an entry for
// any dependency that is named, also for platforms that are not this one.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

type Entry = { dependencies?: Record<string, string>; optionalDependencies?: Record<string, string> }

const file = join(import.meta.dirname, '..', '..', 'package-lock.json')
const { packages } = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, Entry> }

/** Where Node would find `name` from the package at `path`: the nearest node_modules on the way up. */
function find(path: string, name: string): string | undefined {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    const candidate = `${at === '' ? '' : `${at}/`}node_modules/${name}`
    if (packages[candidate]) return candidate
    if (at === '') return undefined
  }
}

test('every dependency that an entry names has an entry', () => {
  const missing = Object.entries(packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => find(path, name) === undefined)
      .map((name) => `${path || 'the root'} -> ${name}`),
  )
  assert.ok(Object.keys(packages).length > 100)
  assert.deepEqual(missing, [])
})
