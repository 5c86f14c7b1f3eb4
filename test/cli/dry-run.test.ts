// The plan that is shown is the plan that is run: each command with a dry run says before
// what it does after, with the same status, and changes nothing meanwhile.

import assert from 'node:assert/strict'
import { chmodSync, globSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { blockFile } from '../../src/store/blocks/shards.ts'
import { parseCid } from '../../src/store/cid.ts'
import { makeProgram, type Sandbox, sandbox } from './harness.ts'

type Case = {
  title: string
  words: string[]
  /** what has to be there before; the registry `main` knows tool 1.0.0, which is installed */
  before?: (box: Sandbox) => Promise<unknown>
  /** what the record of both says, or the error */
  says: RegExp
}

const registry = (box: Sandbox, name = 'main') => join(box.directory, name)

async function publish(box: Sandbox, as: string, to = 'main'): Promise<string> {
  const [program = ''] = as.split('@')
  const source = makeProgram(join(box.directory, `${as}-${to}`), program, `${as} ${to}`)
  const cid = await box.brief('pack', source, '--as', as)
  await box.brief('publish', cid, '--registry', registry(box, to))
  return cid
}

async function subscribe(box: Sandbox, name: string): Promise<void> {
  await box.brief('registry', 'create', registry(box, name))
  await box.brief('registry', 'add', name, registry(box, name))
}

async function prepared(t: TestContext): Promise<Sandbox> {
  const box = await sandbox(t)
  await box.brief('registry', 'create', registry(box))
  await publish(box, 'tool@1.0.0')
  await box.brief('registry', 'add', 'main', registry(box))
  await box.brief('install', 'tool')
  return box
}

async function losePackage(box: Sandbox): Promise<void> {
  const { packages } = await box.json<{ packages: { cid: string }[] }>('list')
  rmSync(blockFile(join(box.prefix, 'blocks'), parseCid(packages[0]?.cid as string)))
}

async function lose(box: Sandbox, how: 'lost' | 'damaged'): Promise<void> {
  const source = makeProgram(join(box.directory, 'big'), 'big', 'x'.repeat(5000))
  await box.brief('store', 'add', source, '--pin', 'big')
  const file = globSync(`${box.prefix}/blocks/*/baf*`).find((one) => readFileSync(one).includes('xxxx'))
  if (how === 'lost') return rmSync(file as string)
  chmodSync(file as string, 0o644)
  writeFileSync(file as string, 'y')
}

const CASES: Case[] = [
  {
    title: 'upgrade: what was published since the registries were updated',
    words: ['upgrade'],
    before: (box) => publish(box, 'tool@2.0.0'),
    says: /"upgraded"[\s\S]*"2\.0\.0"[\s\S]*"registries"/,
  },
  {
    title: 'upgrade --no-update: what is known of them',
    words: ['upgrade', '--no-update'],
    before: (box) => publish(box, 'tool@2.0.0'),
    says: /"changed": false/,
  },
  {
    title: 'upgrade: a registry that is gone, and one that has news',
    words: ['upgrade'],
    before: async (box) => {
      await subscribe(box, 'other')
      rmSync(registry(box), { recursive: true })
      await publish(box, 'more@1.0.0', 'other')
      await box.brief('registry', 'update', 'other')
      await box.brief('install', 'more')
      await publish(box, 'more@1.1.0', 'other')
    },
    says: /"1\.1\.0"[\s\S]*is gone/,
  },
  {
    title: 'install: a package',
    words: ['install', 'more'],
    before: async (box) => {
      await publish(box, 'more@1.0.0')
      await box.brief('registry', 'update')
    },
    says: /"added"[\s\S]*"generation": 2/,
  },
  {
    title: 'install: what is left of a rollback is taken again',
    words: ['install', 'more'],
    before: async (box) => {
      await publish(box, 'more@1.0.0')
      await box.brief('registry', 'update')
      await box.brief('install', 'more')
      await box.brief('rollback')
    },
    says: /"generation": 2/,
  },
  {
    title: 'install: nothing, for it is there',
    words: ['install', 'tool'],
    says: /"changed": false/,
  },
  {
    title: 'install: refused beside a package that is not whole',
    words: ['install', './more', '--as', 'more@1.0.0'],
    before: async (box) => {
      makeProgram(join(box.directory, 'more'), 'more', 'more')
      await losePackage(box)
    },
    says: /"error"[\s\S]*tool 1\.0\.0 is not whole here/,
  },
  { title: 'remove', words: ['remove', 'tool'], says: /"removed"[\s\S]*"generation": 2/ },
  { title: 'remove: what is not there', words: ['remove', 'tol'], says: /"error"[\s\S]*Did you mean tool/ },
  {
    title: 'rollback',
    words: ['rollback'],
    before: (box) => box.brief('remove', 'tool'),
    says: /"added"[\s\S]*"generation": 1/,
  },
  {
    title: 'switch',
    words: ['switch', '1'],
    before: (box) => box.brief('remove', 'tool'),
    says: /"generation": 1/,
  },
  { title: 'pin remove', words: ['pin', 'remove', 'tool@1'], says: /"pins": \[\s*\{/ },
  {
    title: 'pin remove: of several one has to be named',
    words: ['pin', 'remove', 'tool'],
    before: (box) => publish(box, 'tool@2.0.0'),
    says: /"error"[\s\S]*tool@1\.0\.0, tool@2\.0\.0/,
  },
  {
    title: 'gc: generations, and what they kept',
    words: ['gc', '--keep', '1'],
    before: async (box) => {
      await box.brief('remove', 'tool')
      await box.brief('pin', 'remove', 'tool')
    },
    says: /"generations": \[\s*\{[\s\S]*"dead": \[\s*\{/,
  },
  {
    title: 'gc: refused where a root cannot be read',
    words: ['gc'],
    before: async (box) => {
      // A name that is longer than a file system takes stands for a place that cannot be read.
      const link = join(box.directory, 'loop')
      const pins = join(box.prefix, 'pins/per-user')
      const [user] = globSync(`${pins}/*`)
      symlinkSync(link, link)
      rmSync(join(user as string, 'tool'), { recursive: true })
      symlinkSync(link, join(user as string, 'tool'))
    },
    says: /"error"[\s\S]*cannot be read \(ELOOP\)/,
  },
  {
    title: 'leave: all of it',
    words: ['leave', '--yes'],
    before: (box) => box.run(['init', '--no-mount', '--modify-shell']),
    says: /"takes": \[[\s\S]*"profile link"[\s\S]*"prefix"[\s\S]*"2 lines in"/,
  },
  {
    title: 'leave: a profile of another prefix stays',
    words: ['leave', '--yes'],
    before: (box) => symlink(box, '/other/profiles/per-user/me/current'),
    says: /"prefix"[\s\S]*"stays": \[[\s\S]*pkg leave --prefix \/other/,
  },
  {
    title: 'store verify --from: a block that was lost',
    words: ['store', 'verify', '--from', './big'],
    before: (box) => lose(box, 'lost'),
    says: /"healed": \{\s*"blocks": 1/,
  },
  {
    title: 'store verify --from: a block that is damaged in its place',
    words: ['store', 'verify', '--from', './big'],
    before: (box) => lose(box, 'damaged'),
    says: /"healed": \{\s*"blocks": 1/,
  },
  {
    title: 'store verify --from: what does not have it',
    words: ['store', 'verify', '--from', './tool@1.0.0-main'],
    before: (box) => lose(box, 'lost'),
    says: /"healed": \{\s*"blocks": 0[\s\S]*"losses": \[\s*\{/,
  },
]

async function symlink({ home }: Sandbox, target: string): Promise<void> {
  rmSync(join(home, '.pkg-profile'), { force: true })
  symlinkSync(target, join(home, '.pkg-profile'))
}

/** What only a run can know, or is not of the plan: what follows it, where it put things, what it counted afterwards. */
const OF_THE_RUN = [
  'dryRun',
  'mount',
  'bin',
  'inPath',
  'quarantined',
  'blocks',
  'bytes',
  'hints',
  'ok',
  'corrupt',
]

function planOf(stdout: string, words: readonly string[]): Record<string, unknown> {
  const record = JSON.parse(stdout) as Record<string, unknown>
  // What is dead is counted before; what `verify` has read is more once something came back.
  const left = words.includes('verify') ? OF_THE_RUN : OF_THE_RUN.slice(0, 4)
  return Object.fromEntries(Object.entries(record).filter(([name]) => !left.includes(name)))
}

/** Links and subscriptions: what a change of anything that lasts goes through. */
function stateOf({ prefix }: Sandbox): string[] {
  const links = globSync(`${prefix}/{pins,profiles}/**`, { withFileTypes: true })
  return links.flatMap((one) => {
    const path = join(one.parentPath, one.name)
    if (one.isSymbolicLink()) return `${path} -> ${readlinkSync(path)}`
    return one.isFile() && path.includes('/registries/') ? `${path}: ${readFileSync(path, 'utf8')}` : []
  })
}

for (const { title, words, before, says } of CASES) {
  test(title, async (t) => {
    const box = await prepared(t)
    await before?.(box)
    const state = stateOf(box)
    const dry = await box.run([...words, '--dry-run', '--json'])
    assert.deepEqual(stateOf(box), state)
    const run = await box.run([...words, '--json'])
    assert.deepEqual(planOf(dry.stdout, words), planOf(run.stdout, words), dry.stderr + run.stderr)
    assert.match(dry.stdout, says)
    // Damage that is there is told by the status, also where the run would end it.
    if (!words.includes('verify')) assert.equal(dry.status, run.status)
  })
}
