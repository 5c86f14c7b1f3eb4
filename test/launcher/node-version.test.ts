// Which Node the product says it runs on, in all places the same.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import semver from 'semver'
import packageJson from '../../package.json' with { type: 'json' }
import { requireNode } from '../../src/node-version.ts'

for (const version of [
  '18.20.0',
  '20.19.0',
  '22.12.0',
  '22.17.9',
  '22.18.0',
  '22.99.1',
  '23.11.0',
  '24.0.0',
  '26.1.0',
]) {
  test(`Node ${version}: the library accepts what package.json does`, () => {
    const accepts = () => {
      try {
        requireNode(version)
        return true
      } catch (error) {
        assert.match(String(error), new RegExp(`needs Node\\.js .* this is ${version}$`))
        return false
      }
    }
    assert.equal(accepts(), semver.satisfies(version, packageJson.engines.node))
  })
}
