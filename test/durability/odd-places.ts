// What may lie in a prefix in the place of what should, and the commands that meet it.

import { execFileSync } from 'node:child_process'
import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** What is put in the place of a file or directory. */
export const KINDS = {
  directory: (path: string) => {
    mkdirSync(path)
    writeFileSync(join(path, 'something'), 'of somebody else')
  },
  FIFO: (path: string) => void execFileSync('mkfifo', [path]),
  'dangling link': (path: string) => symlinkSync('/nonexistent/place', path),
  garbage: (path: string) => writeFileSync(path, Buffer.alloc(5000, 'garbage\n')),
  'mode 000': undefined,
} as const

export type Kind = keyof typeof KINDS

export type Prefix = {
  directory: string
  root: string
  user: string
  cid: string
  cids: string[]
  env: NodeJS.ProcessEnv
}

/** Places below a prefix, as native-notes/formats.md lists them ("On disk"), and what else our processes make there. */
export function placesOf({ user, cid, cids }: Prefix): string[] {
  const shard = cid.slice(-3, -1)
  const under = (directory: string, ...names: string[]) => names.map((name) => `${directory}/${name}`)
  return [
    ...['config.json', 'blocks', 'store', 'pins', 'profiles', 'var', 'profiles/per-user'],
    ...under('blocks', shard, `${shard}/${cid}`, '.stable', '.tmp'),
    ...under('store', String(cids[0]), '.files'),
    ...under(
      'pins',
      'lock.lock',
      'collector.lock',
      'collector.claims',
      'temp',
      'temp/4194305-1-abc',
      'per-user',
    ),
    ...under(`pins/per-user/${user}`, '', 'kept', `kept/${cid}`, 'registry/auto'),
    ...under(`profiles/per-user/${user}`, '', 'generations', 'generations/1', 'generations/2', 'current'),
    ...under(`profiles/per-user/${user}`, 'journal.jsonl', 'lock.lock', 'registries', 'registries/main.json'),
    ...under('var', 'index.db', 'index.db-wal', 'index.db-shm', 'search.db', 'last-collection.json'),
    ...under('var', 'daemon.pid', 'daemon.sock', 'daemon.lock', 'recheck.lock', 'mount.pid', 'mount.sock'),
    ...under('var', 'pkg.log', 'pkg.log.1', 'quarantine', 'spare-1', 'users'),
  ].map((place) => place.replace(/\/$/, ''))
}

/** Puts it in that place. False where there is nothing of which the mode could be changed. */
export function makeOdd(path: string, kind: Kind): boolean {
  const make = KINDS[kind]
  const there = lstatSync(path, { throwIfNoEntry: false })
  if (make === undefined) {
    if (there === undefined || there.isSymbolicLink()) return false
    chmodSync(path, 0)
    return true
  }
  mkdirSync(dirname(path), { recursive: true })
  if (there?.isDirectory() && kind === 'directory') {
    // An empty one, in the place of one that held all.
    removeTree(path)
    mkdirSync(path)
    return true
  }
  removeTree(path)
  make(path)
  return true
}

export function removeTree(path: string): void {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats?.isDirectory()) {
    chmodSync(path, 0o700)
    for (const name of readdirSync(path)) removeTree(join(path, name))
  }
  rmSync(path, { force: true, recursive: true })
}

/** The commands of the table. `add` is of a tree that takes a flush of the whole file system. */
export function commandsOf({ directory, cid }: Prefix): Record<string, string[]> {
  return {
    add: ['store', 'add', join(directory, 'many'), '--pin', 'new'],
    install: ['install', 'one'],
    remove: ['remove', 'two'],
    list: ['list'],
    history: ['history'],
    rollback: ['rollback'],
    gc: ['gc'],
    verify: ['store', 'verify'],
    roots: ['roots'],
    pins: ['pin', 'list'],
    why: ['why', cid],
    du: ['du'],
    cat: ['store', 'cat', cid],
    reindex: ['store', 'reindex'],
    search: ['search', 'one'],
    update: ['registry', 'update'],
    doctor: ['doctor'],
    status: ['daemon', 'status'],
    logs: ['daemon', 'logs'],
    start: ['daemon', 'start'],
    stop: ['daemon', 'stop'],
  }
}
