// Prefixes and homes with what lists, loaders, shells and mount tables give a meaning to: each works, or is
// refused by `init` with the path and what to do.

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { WITHOUT_FUSE } from '../daemon/prefix.ts'
import { makeProgram, outcome, sandbox } from './harness.ts'
import { runWhereMountingFails, WITHOUT_USER_NAMESPACE } from './no-mount.ts'

const ODD = [
  'a:b;c',
  '$LIB',
  '-o fsname=x,allow_other',
  'back\\slash\\040$PLATFORM$ORIGIN',
  `q'u"o\`te `,
  '100%s%%n #x?y&z *[!a] ~ ünï\u{1f4e6}',
]

const FROM_CHECKOUTS = 'checkout'
const FROM_MOUNT = 'mount'

for (const mode of [FROM_MOUNT, FROM_CHECKOUTS]) {
  const skip = mode === FROM_MOUNT && WITHOUT_FUSE
  test(`a program runs from a prefix with any path (${mode})`, { skip }, async (t) => {
    for (const name of mode === FROM_MOUNT ? ODD : ODD.slice(0, 2)) {
      const box = await sandbox(t)
      const env = { PKG_PREFIX: join(box.directory, name) }
      const run = (...words: string[]) => box.run(words, { env })
      try {
        if (mode === FROM_CHECKOUTS) {
          mkdirSync(env.PKG_PREFIX)
          writeFileSync(join(env.PKG_PREFIX, 'config.json'), '{"store.mode": "checkout"}')
        }
        const made = await run('init', '--modify-shell')
        assert.equal(made.status, 0, made.stderr + made.stdout)
        const installed = await run(
          'install',
          makeProgram(join(box.directory, 'p'), 'odd', 'here'),
          '--as',
          'odd@1.0.0',
        )
        assert.equal(installed.status, 0, installed.stderr)
        // A new shell finds the prefix, and the program by PATH.
        const words = ['/bin/bash', '-c', '. "$HOME/.bashrc"; printf "%s\\n" "$PKG_PREFIX"; odd x']
        const shell = await outcome(words, { cwd: '/', env: { ...box.env, PKG_PREFIX: undefined } })
        assert.equal(shell.stdout, `${env.PKG_PREFIX}\nhere x\n`, `${name}: ${shell.stderr}`)
      } finally {
        const stopped = await run('daemon', 'stop', '--force')
        assert.equal(stopped.status, 0, stopped.stderr)
      }
    }
  })
}

test('init refuses a prefix whose path no line can hold, and makes nothing', async (t) => {
  const box = await sandbox(t)
  for (const name of ['new\nline', 'ta\tb', 'es\u001bcape']) {
    const { status, stderr } = await box.run(['init', '--prefix', join(box.directory, name)])
    assert.equal(status, 2, stderr)
    assert.ok(stderr.includes(JSON.stringify(join(box.directory, name)).slice(1, -1)), stderr)
    assert.match(stderr, /control characters\n.*hint: Set PKG_PREFIX/)
    assert.equal(existsSync(join(box.directory, name)), false)
  }
})

test('init refuses a home that can be in no PATH; install says so', async (t) => {
  const box = await sandbox(t)
  const HOME = join(box.directory, 'ho:me')
  mkdirSync(HOME)
  const { status, stderr } = await box.run(['init', '--no-mount'], { env: { HOME } })
  assert.equal(status, 2, stderr)
  assert.match(stderr, /ho:me\/\.pkg-profile\/bin cannot be in PATH: its path has a colon\n.*hint: Set HOME/)
  const program = makeProgram(join(box.directory, 'p'), 'odd', 'here')
  const installed = await box.run(['install', program, '--as', 'odd@1.0.0'], { env: { HOME } })
  assert.match(installed.stderr, /cannot be in PATH/)
  assert.doesNotMatch(installed.stderr, /export PATH/)
  const started = await outcome([join(HOME, '.pkg-profile/bin/odd')], { cwd: '/', env: box.env })
  assert.equal(started.stdout, 'here\n')
})

test('an install whose program cannot be reached does not end with status 0', {
  skip: WITHOUT_USER_NAMESPACE,
}, async (t) => {
  const box = await sandbox(t)
  await box.run(['init', '--no-mount'])
  writeFileSync(join(box.prefix, 'config.json'), '{"store.mode": "mount"}')
  const program = makeProgram(join(box.directory, 'p'), 'odd', 'here')
  const { status, stderr } = await runWhereMountingFails(box, ['install', program, '--as', 'odd@1.0.0'])
  assert.equal(status, 8, stderr)
  assert.match(stderr, /Programs cannot run until .*store is mounted/)
})
