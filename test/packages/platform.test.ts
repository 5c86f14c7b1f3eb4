import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readElfTarget } from '../../src/packages/elf.ts'
import type { Manifest } from '../../src/packages/manifest.ts'
import { currentPlatform, platformFits, requirePlatform } from '../../src/packages/platform.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { elfFile } from './elf-file.ts'

test('platform: this one is named as Node names it, with its C library', () => {
  const { os, arch, libc } = currentPlatform()
  assert.deepEqual({ os, arch }, { os: process.platform, arch: process.arch })
  if (os === 'linux') assert.match(String(libc), /^(glibc|musl)$/)
})

test('platform: what a package leaves open fits everything', () => {
  const machine = { os: 'linux', arch: 'x64', libc: 'glibc' }
  assert.ok(platformFits({}, machine))
  assert.ok(platformFits({ os: 'linux', arch: 'x64' }, machine))
  assert.ok(platformFits(machine, machine))
  assert.ok(!platformFits({ os: 'linux', arch: 'arm64' }, machine))
  assert.ok(!platformFits({ os: 'linux', arch: 'x64', libc: 'musl' }, machine))
})

test('platform: a package for another machine is refused, naming both', () => {
  const manifest: Manifest = {
    format: 1,
    name: 'a',
    version: '1.0.0',
    programs: [],
    platforms: [{ os: 'linux', arch: 's390x' }],
  }
  assert.throws(() => requirePlatform(manifest, { os: 'linux', arch: 'x64', libc: 'glibc' }), {
    code: 'UNSUPPORTED',
    message: /linux-s390x, and this is linux-x64-glibc/,
  })
})

const targets = [
  { machine: 62, interpreter: '/lib64/ld-linux-x86-64.so.2', target: { arch: 'x64', libc: 'glibc' } },
  { machine: 62, interpreter: '/lib/ld-musl-x86_64.so.1', target: { arch: 'x64', libc: 'musl' } },
  { machine: 183, interpreter: undefined, target: { arch: 'arm64', libc: undefined } },
  { machine: 9999, interpreter: undefined, target: { arch: undefined, libc: undefined } },
]

for (const { machine, interpreter, target } of targets) {
  test(`elf: machine ${machine} with loader ${interpreter ?? 'none'}`, async (t) => {
    const file = join(await temporaryDirectory(t), 'program')
    writeFileSync(file, elfFile(machine, interpreter))
    assert.deepEqual(readElfTarget(file), target)
  })
}

test('elf: other and damaged files', async (t) => {
  const file = join(await temporaryDirectory(t), 'program')
  const lying = elfFile(62, '/lib64/ld-linux-x86-64.so.2')
  lying.writeUInt16LE(0xffff, 56)
  lying.writeBigUInt64LE(0xffff_ffff_ffff_ffffn, 32)
  for (const bytes of [Buffer.alloc(0), Buffer.from('#!/bin/sh\n'), Buffer.from('\x7fELF')]) {
    writeFileSync(file, bytes)
    assert.equal(readElfTarget(file), undefined)
  }
  writeFileSync(file, lying)
  assert.deepEqual(readElfTarget(file), { arch: 'x64', libc: undefined })
})
