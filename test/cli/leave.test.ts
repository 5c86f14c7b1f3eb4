// `pkg leave` on real homes, prefixes and processes: what it takes, and what it does not.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { WITHOUT_FUSE } from '../daemon/prefix.ts'
import { NOT_ROOT, onSmallDisk } from '../helpers/small-disk.ts'
import { accounts } from '../users/accounts.ts'
import { WITHOUT_USERS } from '../users/machine.ts'
import { makeProgram, outcome, type Sandbox, SHELL_WORDS, sandbox } from './harness.ts'

const BASHRC = '# mine\nalias ll="ls -l"\n'
const POSIX_LINE = 'export PATH="$HOME/.pkg-profile/bin:$PATH"'

/** A prefix with a program, a shell that knows it, and a unit that starts it. */
async function settled(t: TestContext, { mount = true } = {}): Promise<Sandbox> {
  const box = await sandbox(t)
  writeFileSync(join(box.home, '.bashrc'), BASHRC)
  if (!mount) {
    mkdirSync(box.prefix)
    writeFileSync(join(box.prefix, 'config.json'), '{ "store.mode": "checkout" }')
  }
  const { status, stderr } = await box.run(['init', '--modify-shell', ...(mount ? [] : ['--no-mount'])])
  assert.equal(status, 0, stderr)
  const source = makeProgram(join(box.directory, 'tool'), 'tool', 'hello')
  await box.brief('install', source, '--as', 'tool@1.0.0')
  const units = join(box.home, '.config/systemd/user')
  mkdirSync(join(units, 'default.target.wants'), { recursive: true })
  writeFileSync(
    join(units, 'pkg.service'),
    `# by pkg init\n[Service]\nExecStart=pkg daemon run --prefix ${box.prefix}\n`,
  )
  writeFileSync(join(units, 'other.service'), '[Service]\nExecStart=pkg daemon run\n')
  symlinkSync('../pkg.service', join(units, 'default.target.wants/pkg.service'))
  return box
}

/** All but directories and compiled code, below the home. */
const left = ({ home }: Sandbox) =>
  readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((one) => !one.isDirectory() && !one.parentPath.includes('/.cache/'))
    .map((one) => join(one.parentPath, one.name).slice(home.length + 1))
    .sort()

function assertGone(box: Sandbox): void {
  assert.deepEqual(left(box), ['.bashrc', '.config/systemd/user/other.service'])
  assert.equal(readFileSync(join(box.home, '.bashrc'), 'utf8'), BASHRC)
  assert.ok(!existsSync(join(box.home, '.cache/pkg')))
  assert.ok(!existsSync(box.prefix))
}

for (const mount of [true, false]) {
  const skip = mount && WITHOUT_FUSE
  test(`everything goes, after it was shown (${mount ? 'mounted' : 'checkouts'})`, { skip }, async (t) => {
    const box = await settled(t, { mount })
    const before = left(box)
    const unasked = await box.run(['leave'])
    assert.equal(unasked.status, 2)
    assert.match(unasked.stderr, /nobody can be asked here[\s\S]*--yes/)
    const shown = await box.run(['leave', '--dry-run'])
    assert.equal(shown.status, 0, shown.stderr)
    assert.deepEqual(left(box), before)
    const done = await box.run(['leave', '--yes'])
    assert.equal(done.status, 0, done.stderr)
    assert.equal(done.stdout.replace('Took away:', 'Would take away:'), shown.stdout)
    for (const path of [box.prefix, '.pkg-profile', '.bashrc', '.cache/pkg', 'pkg.service'])
      assert.ok(done.stdout.includes(path), path)
    assertGone(box)
    assert.ok(!readFileSync('/proc/self/mountinfo', 'utf8').includes(box.prefix))
    const again = await box.run(['leave', '--yes'], { env: { XDG_CACHE_HOME: '/proc' } })
    assert.deepEqual([again.status, again.stdout], [0, 'Nothing of pkg’s is there to take away\n'])
  })
}

test('links elsewhere that it leaves without their content are named: a registry, a profile of one’s own', async (t) => {
  const box = await settled(t, { mount: false })
  const [registry, profile] = [join(box.directory, 'reg'), join(box.directory, 'profile')]
  await box.brief('registry', 'create', registry)
  await box.brief('install', join(box.directory, 'tool'), '--as', 'tool@1.0.0', '--profile', profile)
  const { stays } = await box.json<{ stays: { path: string; why: string }[] }>('leave', '--yes')
  const paths = [join(profile, 'generations/1'), join(registry, 'root')]
  assert.deepEqual(stays.map(({ path }) => path).sort(), paths)
  for (const path of paths) readlinkSync(path)
  assert.ok(!existsSync(box.prefix))
})

for (const step of [
  ...['unit', 'link', 'profiles', 'pins', 'store', 'var', 'config.json', 'blocks', 'prefix', 'cache'],
]) {
  test(`killed after the step “${step}”, the next run does the rest`, async (t) => {
    const box = await settled(t, { mount: false })
    const killed = await box.run(['leave', '--yes'], { env: { PKG_TEST_KILL_AT: `leave:${step}` } })
    assert.equal(killed.signal, 'SIGKILL')
    // A new shell knows the prefix by the line in its file.
    const line = /^export PKG_PREFIX=(\S+) # by pkg init$/m.exec(
      readFileSync(join(box.home, '.bashrc'), 'utf8'),
    )
    const { status, stderr } = await box.run(['leave', '--yes'], { env: { PKG_PREFIX: line?.[1] } })
    assert.equal(status, 0, stderr)
    assertGone(box)
  })
}

test('killed after the daemon was stopped', { skip: WITHOUT_FUSE }, async (t) => {
  const box = await settled(t)
  const killed = await box.run(['leave', '--yes'], { env: { PKG_TEST_KILL_AT: 'leave:daemon' } })
  assert.equal(killed.signal, 'SIGKILL')
  assert.equal((await box.run(['leave', '--yes'])).status, 0)
  assertGone(box)
})

test('a line of an older version, without mark, and a file that has nothing else', async (t) => {
  const box = await sandbox(t)
  const [bash, zsh] = ['.bashrc', '.zshrc'].map((name) => join(box.home, name)) as [string, string]
  writeFileSync(bash, `${BASHRC}\n# Programs installed by pkg\n${POSIX_LINE}\n`)
  writeFileSync(zsh, `${POSIX_LINE} # by pkg init\n`)
  await box.run(['init', '--no-mount', '--modify-shell'])
  // `init` does not add what is there.
  assert.equal(readFileSync(bash, 'utf8').split(POSIX_LINE).length, 2)
  appendFileSync(bash, 'alias x=y # mine\n')
  assert.equal((await box.run(['leave', '--yes'])).status, 0)
  assert.equal(readFileSync(bash, 'utf8'), `${BASHRC}alias x=y # mine\n`)
  assert.ok(!existsSync(zsh))
})

test('what is not of pkg stays, links are not followed, and names alone make no prefix', async (t) => {
  const box = await settled(t, { mount: false })
  const elsewhere = join(box.directory, 'disk')
  renameSync(join(box.prefix, 'blocks'), elsewhere)
  symlinkSync(elsewhere, join(box.prefix, 'blocks'))
  writeFileSync(join(box.prefix, 'notes'), 'mine')
  symlinkSync(elsewhere, join(box.prefix, 'var', 'quarantine', 'odd'))
  const done = await box.run(['leave', '--yes'])
  assert.equal(done.status, 0, done.stderr)
  assert.match(done.stdout, new RegExp(`${elsewhere} stays: only the link`))
  assert.deepEqual(readdirSync(box.prefix), ['notes'])
  assert.ok(existsSync(join(elsewhere, '.tmp')))
  const project = join(box.directory, 'project')
  mkdirSync(join(project, 'store'), { recursive: true })
  mkdirSync(join(project, 'var'))
  assert.equal((await box.run(['leave', '--yes', '--prefix', project])).status, 0)
  assert.ok(existsSync(join(project, 'store')) && existsSync(join(project, 'var')))
})

test('what lay in a directory of a name of ours before it was a prefix stays, and is named', async (t) => {
  const box = await sandbox(t)
  const files = ['var/notes', 'store/data/one', 'blocks/mine', 'blocks/aa/mine', 'pins/mine', 'profiles/mine']
  for (const file of files) {
    mkdirSync(join(box.prefix, file, '..'), { recursive: true })
    writeFileSync(join(box.prefix, file), 'mine')
  }
  const source = makeProgram(join(box.directory, 'tool'), 'tool', 'hello')
  await box.brief('store', 'add', source, '--pin', 'tool')
  const { status, stdout, stderr } = await box.run(['leave', '--yes'])
  assert.equal(status, 0, stderr)
  for (const file of files)
    assert.match(stdout, new RegExp(`${box.prefix}/${file.replace('/one', '')} stays`))
  const there = readdirSync(box.prefix, { recursive: true, withFileTypes: true })
  const found = there.filter((one) => !one.isDirectory())
  assert.deepEqual(found.map((one) => join(one.parentPath, one.name).slice(box.prefix.length + 1)).sort(), [
    ...files.sort(),
  ])
})

for (const [where, place] of [
  ['over the store', 'store'],
  ['in a profile of a prefix that others are in', `profiles/per-user/${userInfo().username}/generations`],
] as const) {
  test(`a mount of somebody else’s ${where} stops it, and keeps what it holds`, {
    skip: NOT_ROOT,
  }, async (t) => {
    const box = await sandbox(t)
    const source = makeProgram(join(box.directory, 'tool'), 'tool', 'hello')
    await box.brief('store', 'add', source, '--pin', 'tool')
    if (place !== 'store') mkdirSync(join(box.prefix, 'pins/per-user/anna/tool'), { recursive: true })
    const point = join(box.prefix, place)
    mkdirSync(point, { recursive: true })
    await onSmallDisk(point, '1m', async () => {
      writeFileSync(join(point, 'file'), 'mine')
      for (const words of [['--dry-run'], ['--yes']]) {
        const { status, stderr } = await box.run(['leave', ...words])
        assert.deepEqual([status, stderr.includes(`${point} is a mount`)], [6, true], stderr)
      }
      assert.ok(existsSync(join(point, 'file')))
    })
  })
}

test('bytes of a shell’s file that are no UTF-8 are its owner’s, and stay', async (t) => {
  const box = await sandbox(t)
  const file = join(box.home, '.bashrc')
  const mine = Buffer.from('# caf\xe9\nPS1="\xa7 "\n', 'latin1')
  writeFileSync(file, mine)
  for (const prefix of [box.prefix, join(box.directory, 'second é')]) {
    const { status, stderr } = await box.run([
      'init',
      '--no-mount',
      '--modify-shell',
      '--force',
      '--prefix',
      prefix,
    ])
    assert.equal(status, 0, stderr)
  }
  assert.ok(readFileSync(file).includes(Buffer.from('second é')))
  const env = { PKG_PREFIX: join(box.directory, 'second é') }
  assert.equal((await box.run(['leave', '--yes'], { env })).status, 0)
  assert.deepEqual(readFileSync(file), mine)
})

test('a home that is a prefix too is left alone', async (t) => {
  const box = await sandbox(t)
  const env = { PKG_PREFIX: box.home }
  assert.equal((await box.run(['init', '--no-mount'], { env })).status, 0)
  const { status, stderr } = await box.run(['leave', '--yes'], { env })
  assert.equal(status, 2)
  assert.match(stderr, /for more than a prefix/)
  assert.ok(existsSync(join(box.home, 'blocks')) && readlinkSync(join(box.home, '.pkg-profile')) !== '')
})

test('a profile of another prefix stays in PATH', async (t) => {
  const box = await settled(t, { mount: false })
  const env = { PKG_PREFIX: join(box.directory, 'other') }
  assert.equal((await box.run(['store', 'add', 'tool'], { env })).status, 0)
  const before = left(box)
  const { status, stdout, stderr } = await box.run(['leave', '--yes'], { env })
  assert.equal(status, 0, stderr)
  assert.match(stdout, /\.pkg-profile stays: it leads to /)
  assert.ok(!existsSync(env.PKG_PREFIX))
  assert.deepEqual(left(box), before)
  assert.match(readFileSync(join(box.home, '.bashrc'), 'utf8'), /PATH=[\s\S]*PKG_PREFIX=/)
})

for (const mount of [true, false]) {
  const skip = mount && WITHOUT_FUSE
  test(`refused while a program runs (${mount ? 'mounted' : 'checkouts'})`, { skip }, async (t) => {
    const box = await settled(t, { mount })
    const directory = readlinkSync(join(box.home, '.pkg-profile'))
    const child = spawn('sleep', ['600'], { cwd: join(directory, 'packages', 'tool') })
    t.after(() => child.kill('SIGKILL'))
    await once(child, 'spawn')
    for (const words of [['--yes'], ['--dry-run']]) {
      const { status, stderr } = await box.run(['leave', ...words])
      assert.deepEqual([status, stderr.includes(`sleep (${child.pid})`)], [6, true], stderr)
    }
    assert.ok(existsSync(join(box.home, '.pkg-profile')))
    const forced = await box.run(['leave', '--yes', '--force'])
    assert.equal(forced.status, 0, forced.stderr)
    assertGone(box)
  })
}

test('asks on a terminal', { skip: existsSync('/usr/bin/script') ? false : 'no script(1)' }, async (t) => {
  const box = await settled(t, { mount: false })
  const answer = (text: string) =>
    outcome(['script', '-qec', `${SHELL_WORDS} leave`, '/dev/null'], {
      cwd: box.directory,
      env: box.env,
      input: text,
    })
  const no = await answer('n\n')
  assert.match(no.stdout, /This goes:[\s\S]*\.pkg-profile[\s\S]*\[y\/N\]/)
  assert.ok(existsSync(box.prefix))
  const yes = await answer('y\n')
  assert.match(yes.stdout, /Took away:/)
  assertGone(box)
})

test('in a prefix of root’s each takes only what is theirs', {
  skip: WITHOUT_USERS || WITHOUT_FUSE,
}, async (t) => {
  let stop: () => unknown = () => {}
  t.after(() => stop())
  const { root, anna, bert } = await accounts(t)
  stop = () => root.pkg('daemon', 'stop', '--force')
  assert.equal((await root.pkg('init')).status, 0)
  for (const user of [anna, bert]) {
    assert.equal((await user.pkg('init', '--modify-shell')).status, 0)
    await user.run([
      'sh',
      '-c',
      'mkdir -p tool/bin && printf "#!/bin/sh\\necho hello\\n" > tool/bin/tool && chmod +x tool/bin/tool',
    ])
    await user.brief('install', './tool', '--as', 'tool@1.0.0')
  }
  const runs = async (user: typeof anna) => (await user.run(['sh', '-c', '~/.pkg-profile/bin/tool'])).stdout
  for (const user of [root, anna]) {
    const { status, stderr, stdout } = await user.pkg('leave', '--yes')
    assert.equal(status, 0, stderr)
    assert.match(stdout, / stays: /)
  }
  assert.equal(await runs(bert), 'hello\n')
  assert.notEqual(await runs(anna), 'hello\n')
  assert.equal((await bert.pkg('leave', '--yes')).status, 0)
  const last = await root.pkg('leave', '--yes')
  assert.equal(last.status, 0, last.stderr)
})

test('what starts or names another prefix of one’s own stays', async (t) => {
  const box = await settled(t, { mount: false })
  const line = '(pkg daemon start --quiet --prefix /elsewhere </dev/null >/dev/null 2>&1 &) # by pkg init'
  appendFileSync(join(box.home, '.bashrc'), `${line}\n`)
  const unit = join(box.home, '.config/systemd/user/elsewhere.service')
  writeFileSync(unit, '# by pkg init\n[Service]\nExecStart=pkg daemon start --prefix /elsewhere\n')
  const { status, stderr } = await box.run(['leave', '--yes'])
  assert.equal(status, 0, stderr)
  assert.ok(readFileSync(join(box.home, '.bashrc'), 'utf8').includes(line))
  assert.ok(existsSync(unit))
})
