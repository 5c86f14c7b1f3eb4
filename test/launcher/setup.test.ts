// The set-up script in a small clone of its own, with an npm and a build that only note that they ran.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmod, copyFile, mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryDirectory } from '../helpers/temp.ts'

const SETUP = join(import.meta.dirname, '../../native-notes/setup')

/** `npm ci`: writes what npm writes, and installs nothing. */
const FAKE_NPM = `#!/bin/sh
[ "$1" = --version ] && { echo 0.0.0; exit; }
echo "$@" >> npm-calls
mkdir -p node_modules/a && cp package-lock.json node_modules/.package-lock.json
`

const BUILD = `import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
appendFileSync('builds', 'x')
mkdirSync('dist', { recursive: true })
writeFileSync('dist/pkg.js', '')
`

class Clone {
  readonly root: string

  constructor(root: string) {
    this.root = root
  }

  async write(path: string, text: string, mode = 0o644): Promise<void> {
    await mkdir(dirname(join(this.root, path)), { recursive: true })
    await writeFile(join(this.root, path), text)
    await chmod(join(this.root, path), mode)
  }

  setup(path = `${join(this.root, 'bin')}:${dirname(process.execPath)}:/usr/bin:/bin`) {
    return spawnSync(join(this.root, 'native-notes/setup'), { env: { PATH: path }, encoding: 'utf8' })
  }

  /** How often npm and the build ran. */
  async ran(): Promise<{ npm: number; builds: number }> {
    const length = async (file: string, what: RegExp) =>
      (await readFile(join(this.root, file), 'utf8').catch(() => '')).match(what)?.length ?? 0
    return { npm: await length('npm-calls', /\n/g), builds: await length('builds', /x/g) }
  }
}

const lock = (version: string) => JSON.stringify({ packages: { '': {}, 'node_modules/a': { version } } })

async function clone(t: TestContext): Promise<Clone> {
  const made = new Clone(await temporaryDirectory(t))
  await made.write('bin/npm', FAKE_NPM, 0o755)
  await made.write('native-notes/build.ts', BUILD)
  await copyFile(SETUP, join(made.root, 'native-notes/setup'))
  await made.write('package.json', '{"type":"module"}')
  await made.write('package-lock.json', lock('1.0.0'))
  await made.write('tsconfig.json', '{}')
  await made.write('src/a.ts', '')
  return made
}

test('a fresh clone gets its packages, without install scripts, and its bundle', async (t) => {
  const fresh = await clone(t)
  const { status, stdout } = fresh.setup()
  assert.equal(status, 0)
  assert.deepEqual(await fresh.ran(), { npm: 1, builds: 1 })
  assert.match(await readFile(join(fresh.root, 'npm-calls'), 'utf8'), /^ci --ignore-scripts /)
  assert.match(stdout, /installing the packages/)
})

test('a second run does nothing and says so', async (t) => {
  const again = await clone(t)
  again.setup()
  assert.match(again.setup().stdout, /in place/)
  assert.deepEqual(await again.ran(), { npm: 1, builds: 1 })
})

test('a changed lock file installs again', async (t) => {
  const changed = await clone(t)
  changed.setup()
  await changed.write('package-lock.json', lock('1.0.1'))
  changed.setup()
  assert.equal((await changed.ran()).npm, 2)
})

test('a package that was deleted installs again', async (t) => {
  const damaged = await clone(t)
  damaged.setup()
  await rm(join(damaged.root, 'node_modules/a'), { recursive: true })
  damaged.setup()
  assert.equal((await damaged.ran()).npm, 2)
})

test('a changed source builds again and installs nothing', async (t) => {
  const changed = await clone(t)
  changed.setup()
  const later = new Date(Date.now() + 5000)
  await utimes(join(changed.root, 'src/a.ts'), later, later)
  changed.setup()
  assert.deepEqual(await changed.ran(), { npm: 1, builds: 2 })
})

test('without npm it says what to install, with exit status 8', async (t) => {
  const bare = await clone(t)
  await rm(join(bare.root, 'bin/npm'))
  // A PATH with what the script itself needs, and no npm.
  for (const tool of ['dirname', 'find', 'head', 'id']) {
    await bare.write(`bin/${tool}`, `#!/bin/sh\nexec /usr/bin/${tool} "$@"\n`, 0o755)
  }
  const { status, stderr } = bare.setup(join(bare.root, 'bin'))
  assert.equal(status, 8)
  assert.match(stderr, /apt install npm/)
})
