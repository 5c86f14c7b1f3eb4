// Root's collector in directories of users who mean harm: it ends, keeps what others keep, deletes what is dead,
// and touches nothing outside.

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chownSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import type { CollectionResult } from '../../src/collector/figures.ts'
import type { RetentionPolicy } from '../../src/collector/retention.ts'
import { autoPinName } from '../../src/pins/names.ts'
import type { StopPoint } from '../../src/pins/stop-point.ts'
import { addTree, missing, present, type Tree } from '../collector/scenario.ts'
import { WITHOUT_FUSE } from '../daemon/prefix.ts'
import { ALICE, EVE, hello, type Machine, machine, type User, WITHOUT_USERS } from './machine.ts'

const skip = WITHOUT_USERS

/** Old enough that the collector takes a `.tmp-` file for one that a kill left. */
const OLD = Date.now() / 1000 - 24 * 60 * 60

const OPTIONAL = { recursive: true, force: true }

type Scene = Machine & {
  /** pins/per-user/<eve>, profiles/per-user/<eve> */
  pins: string
  profile: string
  /** a directory of each user's own, closed to the other */
  homes: { alice: string; eve: string }
  /** what alice keeps: by a pin, by an auto pin, by two generations */
  kept: Tree[]
  dead: Tree
  /** alice's files, with what they are */
  untouched: () => string
}

async function scene(t: TestContext, settings: object = {}): Promise<Scene> {
  const there = await machine(t, settings)
  const { paths, alice, eve, store } = there
  await hello(there, alice)
  await hello(there, eve)
  const kept = await Promise.all(['pin', 'auto', 'one', 'two'].map((name) => addTree(store, name)))
  const [pin, auto, one, two] = kept.map(({ root }) => `${paths.store}/${root}`) as [
    string,
    string,
    string,
    string,
  ]
  const homes = { alice: join(paths.root, '..', 'alice'), eve: join(paths.root, '..', 'eve') }
  for (const [home, uid] of [
    [homes.alice, ALICE],
    [homes.eve, EVE],
  ] as const) {
    mkdirSync(home, { mode: 0o700 })
    chownSync(home, uid, uid)
  }
  const mine = join(paths.pinsPerUser, alice.name)
  await alice.fs('mkdirSync', join(mine, 'prog'))
  await alice.fs('symlinkSync', pin, join(mine, 'prog', String(kept[0]?.root)))
  await alice.fs('symlinkSync', auto, join(homes.alice, 'result'))
  await alice.autoPin('autoPin', paths, join(homes.alice, 'result'))
  await generations(there, alice, [one, two])
  for (const directory of [homes.alice, join(mine, 'prog'), join(mine, 'auto', 'auto')]) {
    await alice.fs('writeFileSync', join(directory, '.tmp-mine'), 'mine')
    utimesSync(join(directory, '.tmp-mine'), OLD, OLD)
  }
  const untouched = () => execFileSync('find', [homes.alice, '-printf', '%p %l %u %m %T@\n']).toString()
  return {
    ...there,
    pins: join(paths.pinsPerUser, eve.name),
    profile: join(paths.profilesPerUser, eve.name),
    homes,
    kept,
    dead: await addTree(store, 'dead'),
    untouched,
  }
}

async function generations(
  { paths }: Pick<Machine, 'paths'>,
  user: User,
  targets: readonly string[],
): Promise<void> {
  const profile = join(paths.profilesPerUser, user.name)
  await user.fs('mkdirSync', join(profile, 'generations'))
  for (const [index, target] of targets.entries()) {
    await user.fs('symlinkSync', target, join(profile, 'generations', String(index + 1)))
  }
  await user.fs('symlinkSync', `generations/${targets.length}`, join(profile, 'current'))
}

type Gc = { policy?: RetentionPolicy; at?: (point: StopPoint) => unknown }

/** A collection by root in good time; alice's links and files are what they were. */
async function gc(
  { store, kept, untouched }: Scene,
  { policy = {}, at }: Gc = {},
): Promise<CollectionResult> {
  const before = untouched()
  const result = await runCollection(store, policy, {
    graceMs: 0,
    signal: AbortSignal.timeout(30_000),
    at: async (point) => void (await at?.(point)),
  })
  if (Object.keys(policy).length === 0)
    for (const { root } of kept) assert.deepEqual(missing(store, root), [])
  assert.equal(untouched(), before)
  return result
}

const HOSTILE: [string, (scene: Scene) => Promise<unknown>][] = [
  [
    'a directory of pins that is a link to nothing',
    ({ eve, pins }) => eve.fs('symlinkSync', '/nonexistent/x', join(pins, 'x')),
  ],
  [
    'a directory of pins that is a loop of links',
    ({ eve, pins }) => eve.fs('symlinkSync', 'x', join(pins, 'x')),
  ],
  [
    'a directory of pins that is another user’s',
    ({ eve, pins, paths, alice }) =>
      eve.fs('symlinkSync', join(paths.pinsPerUser, alice.name, 'prog'), join(pins, 'x')),
  ],
  [
    'a directory of pins that is another user’s home',
    ({ eve, pins, homes }) => eve.fs('symlinkSync', homes.alice, join(pins, 'x')),
  ],
  ['a directory of pins that is /', ({ eve, pins }) => eve.fs('symlinkSync', '/', join(pins, 'x'))],
  [
    'a pin that is a loop of links',
    async ({ eve, pins }) => {
      await eve.fs('mkdirSync', join(pins, 'x'))
      await eve.fs('symlinkSync', 'y', join(pins, 'x', 'y'))
    },
  ],
  [
    'a pin by way of a file',
    async ({ eve, pins, homes }) => {
      await eve.fs('writeFileSync', join(homes.eve, 'file'), '')
      await eve.fs('mkdirSync', join(pins, 'x'))
      await eve.fs('symlinkSync', join(homes.eve, 'file', 'y'), join(pins, 'x', 'y'))
    },
  ],
  [
    'names with line ends and control characters',
    async ({ eve, pins }) => {
      await eve.fs('mkdirSync', join(pins, 'x\n\u001b[2J'))
      await eve.fs('symlinkSync', '/nonexistent', join(pins, 'x\n\u001b[2J', '\n'))
    },
  ],
  [
    'generations that are a file',
    ({ eve, profile }) => eve.fs('writeFileSync', join(profile, 'generations'), ''),
  ],
  [
    'generations that are another user’s',
    ({ eve, profile, homes }) => eve.fs('symlinkSync', homes.alice, join(profile, 'generations')),
  ],
  [
    'directories closed to their own owner',
    async ({ eve, pins }) => {
      await eve.fs('mkdirSync', join(pins, 'x'))
      await eve.fs('chmodSync', pins, 0)
    },
  ],
  [
    'an auto pin that nobody ever could follow',
    ({ eve, pins }) => autoPinByHand(eve, pins, '/nonexistent/x'),
  ],
  [
    'an auto pin that is a loop of links',
    ({ eve, pins }) => autoPinByHand(eve, pins, join(pins, 'x', 'auto', 'a')),
  ],
  [
    'FIFOs in the places of files',
    async (scene) => {
      const { pins } = scene
      await autoPinByHand(scene.eve, pins, '/nonexistent/x')
      const fifos = ['a.json', 'fifo', '.tmp-fifo'].map((name) => join(pins, 'x', 'auto', name))
      execFileSync('mkfifo', fifos)
      for (const fifo of fifos) chownSync(fifo, EVE, EVE)
      utimesSync(fifos[2] as string, OLD, OLD)
    },
  ],
  [
    'a record that is a link to what only root may read',
    async ({ eve, pins }) => {
      await autoPinByHand(eve, pins, '/nonexistent/x')
      await eve.fs('symlinkSync', '/etc/shadow', join(pins, 'x', 'auto', 'a.json'))
    },
  ],
  [
    'a record without end',
    async ({ eve, pins }) => {
      await autoPinByHand(eve, pins, '/nonexistent/x')
      await eve.fs('symlinkSync', '/dev/zero', join(pins, 'x', 'auto', 'a.json'))
    },
  ],
]

async function autoPinByHand(user: User, pins: string, target: string): Promise<void> {
  await user.fs('mkdirSync', join(pins, 'x', 'auto'), { recursive: true })
  await user.fs('symlinkSync', target, join(pins, 'x', 'auto', 'a'))
}

test('a collection among hostile directories', { skip }, async (t) => {
  const there = await scene(t)
  const { eve, pins, profile, store, paths } = there
  for (const [index, [title, make]] of HOSTILE.entries()) {
    await t.test(`${title}: the dead go, all of others stays`, async () => {
      const dead = await addTree(store, `dead ${index}`)
      await make(there)
      await gc(there)
      assert.equal(present(store, dead), 0)
      await eve.fs('chmodSync', pins, 0o755)
      for (const directory of [pins, profile]) {
        for (const name of readdirSync(directory))
          await eve.fs('rmSync', join(directory, name), { recursive: true })
      }
    })
  }
  await t.test('what root pinned for a user in that user’s directory is kept', async () => {
    const made = await addTree(store, 'made by root')
    mkdirSync(join(pins, 'x'))
    symlinkSync(`../../../../store/${made.root}`, join(pins, 'x', String(made.root)))
    await gc(there)
    assert.deepEqual(missing(store, made.root), [])
    rmSync(join(pins, 'x'), { recursive: true })
  })
  await t.test(
    'another user’s link keeps nothing by an auto pin, and root tells nobody where it leads',
    async () => {
      const secret = await addTree(store, 'secret')
      const link = join(there.homes.alice, 'secret')
      await there.alice.fs('symlinkSync', `${paths.store}/${secret.root}`, link)
      await autoPinByHand(eve, pins, link)
      await gc(there)
      assert.equal(present(store, secret), 0)
      assert.equal(existsSync(join(pins, 'x', 'auto', 'a.json')), false)
      await eve.fs('rmSync', join(pins, 'x'), { recursive: true })
    },
  )
})

test('what a user lets go of is dropped with that user’s rights, and theirs alone', { skip }, async (t) => {
  const there = await scene(t)
  const { alice, eve, paths, pins, homes, store } = there
  const link = join(homes.eve, 'result')
  const gone = async (name: string) => {
    const made = await addTree(store, name)
    await eve.fs('symlinkSync', `${paths.store}/${made.root}`, link)
    await eve.autoPin('autoPin', paths, link)
    await eve.fs('unlinkSync', link)
    return made
  }
  const auto = join(pins, 'auto', 'auto')
  await t.test('an auto pin whose link is gone, and what a kill left', async () => {
    const made = await gone('gone')
    await eve.fs('writeFileSync', join(auto, '.tmp-left'), '')
    await eve.fs('utimesSync', join(auto, '.tmp-left'), OLD, OLD)
    assert.equal((await gc(there)).gone.length, 1)
    assert.equal(present(store, made), 0)
    assert.deepEqual(readdirSync(auto), [])
  })
  // At either level: a link in the place of the directory itself, and one in the way there.
  const others = join(homes.alice, 'pins')
  const name = autoPinName(link)
  await alice.fs('mkdirSync', join(others, 'auto'), { recursive: true })
  await alice.fs('symlinkSync', link, join(others, 'auto', name))
  await alice.fs('writeFileSync', join(others, 'auto', '.tmp-mine'), '')
  await alice.fs('utimesSync', join(others, 'auto', '.tmp-mine'), OLD, OLD)
  for (const below of ['', 'auto']) {
    for (const point of ['gone-found', 'pin-set-aside', 'synced', 'swept'] as const) {
      await t.test(`${below || 'a directory above'} swapped for another user’s at "${point}"`, async () => {
        await gone(`swapped at ${point} ${below}`)
        // All that would make it droppable there as well.
        const record = join(others, 'auto', `${name}.json`)
        writeFileSync(record, readFileSync(join(auto, `${name}.json`)))
        const before = execFileSync('find', [others, '-printf', '%p %l %u %i\n']).toString()
        const directory = join(pins, 'auto', below)
        await gc(there, {
          at: async (passed) => {
            if (passed !== point) return
            await eve.fs('renameSync', directory, join(homes.eve, `${point}${below}`))
            await eve.fs('symlinkSync', join(others, below), directory)
          },
        })
        assert.equal(execFileSync('find', [others, '-printf', '%p %l %u %i\n']).toString(), before)
        await eve.fs('rmSync', join(pins, 'auto'), { recursive: true })
      })
    }
  }
  await t.test('a link that is made again while its auto pin is being dropped keeps it', async () => {
    const made = await gone('again')
    await gc(there, {
      at: async (passed) => {
        if (passed !== 'pin-set-aside') return
        await eve.fs('symlinkSync', `${paths.store}/${made.root}`, link)
        await eve.autoPin('autoPin', paths, link)
      },
    })
    assert.deepEqual(missing(store, made.root), [])
    assert.deepEqual(readdirSync(auto).sort(), [autoPinName(link), `${autoPinName(link)}.json`])
  })
})

const LOCKS: [string, (lock: string, user: User) => Promise<unknown>][] = [
  [
    'held for ever',
    async (lock, user) => {
      await user.fs('mkdirSync', lock)
      await user.fs('writeFileSync', join(lock, 'x'), '')
      await user.fs('utimesSync', lock, 4e9, 4e9)
    },
  ],
  ['a link', (lock, user) => user.fs('symlinkSync', '../../../../config.json', lock)],
  [
    'a link that looks stale',
    async (lock, user) => {
      await user.fs('symlinkSync', '../../../../config.json', lock)
      await user.fs('lutimesSync', lock, 1, 1)
    },
  ],
  [
    'a FIFO',
    async (lock) => {
      execFileSync('mkfifo', [lock])
      chownSync(lock, EVE, EVE)
    },
  ],
]

test('what a user does to the lock of a profile', { skip }, async (t) => {
  const there = await scene(t)
  const { alice, eve, homes, paths, profile, store } = there
  const made = await addTree(store, 'made')
  const target = `${paths.store}/${made.root}`
  for (const [title, plant] of LOCKS) {
    await t.test(`${title}: it holds up nobody else’s old generations`, async () => {
      for (const user of [alice, eve]) {
        await user.fs('rmSync', join(paths.profilesPerUser, user.name, 'generations'), OPTIONAL)
        await user.fs('rmSync', join(paths.profilesPerUser, user.name, 'current'), OPTIONAL)
        await generations(there, user, [target, target])
      }
      await plant(join(profile, 'lock.lock'), eve)
      const before = lstatSync(paths.config).mtimeMs
      const { generations: deleted } = await gc(there, { policy: { keep: 1 } })
      assert.equal(deleted.filter((one) => one.profile.endsWith(alice.name)).length, 1)
      assert.equal(lstatSync(paths.config).mtimeMs, before)
      await eve.fs('rmSync', join(profile, 'lock.lock'), OPTIONAL)
    })
  }
  await t.test('root takes none where the directory is not that of the profile’s owner', async () => {
    const own = join(homes.eve, 'profile')
    const others = join(homes.alice, 'profile')
    await eve.fs('mkdirSync', join(own, 'generations'), { recursive: true })
    mkdirSync(join(others, 'generations'), { recursive: true })
    for (const number of ['1', '2']) {
      await eve.fs('symlinkSync', target, join(own, 'generations', number))
      await eve.autoPin('autoPin', paths, join(own, 'generations', number))
      symlinkSync(target, join(others, 'generations', number))
    }
    await gc(there, {
      policy: { keep: 1 },
      at: async (point) => {
        if (point !== 'generations-chosen') return
        await eve.fs('renameSync', own, `${own}.away`)
        await eve.fs('symlinkSync', others, own)
      },
    })
    assert.deepEqual(readdirSync(join(others, 'generations')), ['1', '2'])
  })
})

test('a user with more links than are read loses their own, and takes nobody’s time', { skip }, async (t) => {
  const there = await scene(t, { 'users.maxLinks': 20 })
  const { eve, homes, paths, pins, kept, store, dead } = there
  await eve.fs('mkdirSync', join(pins, 'many'))
  for (let number = 0; number < 60; number++)
    await eve.fs('symlinkSync', '/x', join(pins, 'many', `${number}`))
  const { unreadable } = await gc(there)
  assert.deepEqual(
    unreadable.map(({ errno, foreign }) => [errno, foreign]),
    [['E2BIG', true]],
  )
  assert.equal(present(store, dead), 0)
  const link = join(homes.eve, 'result')
  await eve.fs('symlinkSync', `${paths.store}/${kept[0]?.root}`, link)
  await assert.rejects(eve.autoPin('autoPin', paths, link), { code: 'NO_SPACE' })
})

/** Mounts what eve's own program answers for, and it never does: whoever goes there waits for ever. Gives its end. */
function mountSilent(directory: string): () => void {
  const device = openSync('/dev/fuse', 'r+')
  // As fusermount(1) does it where fuse.conf has user_allow_other: without that, root is refused at once.
  const options = `fd=3,rootmode=40000,user_id=${EVE},group_id=${EVE},allow_other`
  const args = ['-i', '-t', 'fuse', '-o', options, 'silent', directory]
  const { status } = spawnSync('mount', args, { stdio: ['ignore', 'ignore', 'inherit', device] })
  assert.equal(status, 0)
  return () => {
    closeSync(device)
    spawnSync('umount', ['-l', directory])
  }
}

const source = (file: string) => JSON.stringify(new URL(`../../src/${file}`, import.meta.url).href)

/** What the daemon does at a hello; its own process here has other mounts than this one. */
const HELLO = `
  import { makeUserDirectories } from ${source('daemon/api/user-directories.ts')}
  import { prefixPaths } from ${source('paths.ts')}
  const [root, name] = process.argv.slice(1)
  makeUserDirectories(prefixPaths(root), { uid: ${EVE}, gid: ${EVE}, name })`

test('a file system of a user’s that never answers is not asked', {
  skip: skip || WITHOUT_FUSE,
}, async (t) => {
  const there = await scene(t)
  const { eve, homes, paths, pins, store, dead } = there
  const behind = await addTree(store, 'behind')
  const mountpoint = join(homes.eve, 'mnt')
  await eve.fs('mkdirSync', join(mountpoint, 'profile', 'generations'), { recursive: true })
  for (const link of ['result', 'profile/generations/1', 'profile/generations/2']) {
    await eve.fs('symlinkSync', `${paths.store}/${behind.root}`, join(mountpoint, link))
    await eve.autoPin('autoPin', paths, join(mountpoint, link))
  }
  await eve.fs('mkdirSync', join(pins, 'x'))
  await eve.fs('symlinkSync', mountpoint, join(pins, 'y'))
  const mounted = [mountpoint, join(pins, 'x'), there.profile].map(mountSilent)
  // Ended before the directory is removed, which the test's end does.
  try {
    // In another process: this one could wait for ever.
    const script = join(import.meta.dirname, '../collector/collector-process.ts')
    const { status, stderr } = spawnSync(process.execPath, [script, paths.root], { timeout: 60_000 })
    assert.equal(status, 0, String(stderr))
    const made = spawnSync(process.execPath, ['--input-type=module', '-e', HELLO, paths.root, eve.name], {
      timeout: 60_000,
    })
    assert.match(String(made.stderr), /is a file system of a user/)
  } finally {
    for (const unmount of mounted) unmount()
  }
  assert.equal(present(store, dead), 0)
  assert.deepEqual(missing(store, behind.root), [])
})
