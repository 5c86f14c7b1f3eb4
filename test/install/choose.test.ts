import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import { chooseVersion } from '../../src/install/choose.ts'
import { chooseBuild } from '../../src/registry/newest.ts'
import type { PackageRecord, PlatformBuild } from '../../src/registry/record.ts'

const linux = { os: 'linux', arch: 'x64', libc: 'glibc' }

function build(more: Partial<PlatformBuild> = {}): PlatformBuild {
  return { cid: 'bafkqaaa', size: 1, programs: [], ...more }
}

function recordOf(...versions: (string | [string, PlatformBuild[]])[]): PackageRecord {
  return {
    format: 1,
    name: 'tool',
    description: '',
    versions: versions.map((one) => {
      const [version, platforms] = typeof one === 'string' ? [one, [build()]] : one
      return { version, published: '', platforms }
    }),
  }
}

const released = recordOf('0.24.0', '0.24.2', '0.25.0', '0.25.1-beta.1', '1.0.0-rc.1')
const cases: [range: string | undefined, expected: string][] = [
  [undefined, '0.25.0'],
  ['latest', '0.25.0'],
  ['*', '0.25.0'],
  ['0.24', '0.24.2'],
  ['0.24.0', '0.24.0'],
  ['=0.24.0', '0.24.0'],
  ['^0.24', '0.24.2'],
  ['>=0.24 <0.25', '0.24.2'],
  ['0.x', '0.25.0'],
  ['1.0.0-rc.1', '1.0.0-rc.1'],
  ['^0.25.1-beta', '0.25.1-beta.1'],
  ['v0.24.2', '0.24.2'],
]
for (const [range, expected] of cases) {
  test(`${range ?? 'no range'} is ${expected}`, () => {
    assert.equal(chooseVersion(released, range, linux).version, expected)
  })
}

const revised = recordOf('1.15.0', '1.15.0+10', '1.15.0+2', '1.16.0-2')
for (const [range, expected] of [
  [undefined, '1.15.0+10'],
  ['1.15', '1.15.0+10'],
  ['1.15.0', '1.15.0+10'],
  ['=1.15.0', '1.15.0+10'],
  ['1.15.0+2', '1.15.0+2'],
  ['=1.15.0+2', '1.15.0+2'],
  ['v1.15.0+2', '1.15.0+2'],
] as const) {
  test(`of builds of one version ${range ?? 'no range'} is ${expected}`, () => {
    assert.equal(chooseVersion(revised, range, linux).version, expected)
  })
}

test('a build that is not there is no other one', () => {
  assert.throws(
    () => chooseVersion(revised, '1.15.0+3', linux),
    (error) => hasCode(error, 'NO_VERSION'),
  )
})

test('a range without a version lists what there is, newest first', () => {
  assert.throws(
    () => chooseVersion(released, '^7', linux),
    (error) =>
      hasCode(error, 'NO_VERSION') && error.message.includes('there is: 1.0.0-rc.1, 0.25.1-beta.1, 0.25.0'),
  )
})

test('with prereleases only, the hint shows how to ask for one', () => {
  assert.throws(
    () => chooseVersion(recordOf('1.0.0-rc.1'), undefined, linux),
    (error) => hasCode(error, 'NO_VERSION') && error.hint?.includes('tool@1.0.0-rc.1') === true,
  )
})

test('nonsense for a range is a usage error', () => {
  assert.throws(
    () => chooseVersion(released, 'not a range', linux),
    (error) => hasCode(error, 'USAGE'),
  )
})

test('a newer version without a build for this platform is passed over', () => {
  const record = recordOf('1.0.0', ['2.0.0', [build({ os: 'darwin', arch: 'arm64' })]])
  assert.equal(chooseVersion(record, undefined, linux).version, '1.0.0')
})

test('no build for this platform names those that there are', () => {
  const record = recordOf(['2.0.0', [build({ os: 'darwin', arch: 'arm64' })]])
  assert.throws(
    () => chooseVersion(record, undefined, linux),
    (error) => hasCode(error, 'NO_VERSION') && error.hint?.includes('darwin-arm64') === true,
  )
})

test('the build made for this platform wins over one for any', () => {
  const musl = build({ os: 'linux', arch: 'x64', libc: 'musl' })
  const glibc = build({ os: 'linux', arch: 'x64', libc: 'glibc' })
  const any = build()
  assert.equal(chooseBuild([any, musl, glibc], linux), glibc)
  assert.equal(chooseBuild([musl, any], linux), any)
  assert.equal(chooseBuild([musl], linux), undefined)
})
