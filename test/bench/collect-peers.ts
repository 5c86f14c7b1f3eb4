// Collections of peers, on stores with as many objects as ours: small files, of
// which the same part is dead.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, mkdirSync, openSync, rmSync, symlinkSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { outputOf, timeOf } from './measure.ts'
import { inPath } from './peers.ts'
import type { Work } from './work.ts'

export type CollectPeer = {
  name: string
  /** Makes a store with so many objects; not timed. */
  make(directory: string, objects: number, dead: number): void
  /** Milliseconds of a collection. */
  collect(directory: string): number
}

/** Those that are here. */
export function collectPeers(work: Work): CollectPeer[] {
  const all = [inPath('nix-store') ? nix(work) : undefined, inPath('ostree') ? OSTREE : undefined]
  return all.filter((peer) => peer !== undefined)
}

/** Nix's base32 has no e, o, t, u. */
const NIX_DIGITS = '0123456789abcdfghijklmnpqrsvwxyz'
/** To a package as ours has them: a path that refers to so many others. */
const REFERENCES = 500

/** Each object is a store path of one file; living ones are reached from a path that a root names. */
function nix(work: Work): CollectPeer {
  const env = { ...process.env, HOME: work.folder('nix-home'), NIX_CONFIG: 'build-users-group =' }
  const store = (directory: string) => ['--store', `local?root=${directory}`]
  return {
    name: 'nix-store',
    make(directory, objects, dead) {
      const places = join(directory, 'nix/store')
      const roots = join(directory, 'nix/var/nix/gcroots')
      for (const place of [places, roots]) mkdirSync(place, { recursive: true })
      const registration: string[] = []
      const add = (index: number, references: readonly string[]): string => {
        const name = `${nixHash(index)}-object-${index}`
        writeFileSync(join(places, name), `object ${index}\n`.repeat(16))
        const path = `/nix/store/${name}`
        registration.push(
          path,
          createHash('sha256').update(name).digest('hex'),
          '128',
          '',
          `${references.length}`,
        )
        registration.push(...references)
        return path
      }
      let parts: string[] = []
      for (let index = 0; index < objects; index++) {
        if (index >= objects - dead) add(index, [])
        else if (parts.length < REFERENCES && index < objects - dead - 1) parts.push(add(index, []))
        else {
          symlinkSync(add(index, parts), join(roots, `root-${index}`))
          parts = []
        }
      }
      const { status, stderr } = spawnSync('nix-store', [...store(directory), '--load-db'], {
        env,
        input: `${registration.join('\n')}\n`,
        encoding: 'utf8',
      })
      if (status !== 0) throw new Error(`nix-store --load-db: ${stderr}`)
    },
    collect: (directory) => timeOf(['nix-store', ...store(directory), '--gc'], { env }),
  }
}

function nixHash(index: number): string {
  const digest = createHash('sha256').update(String(index)).digest()
  return Array.from({ length: 32 }, (_, at) => NIX_DIGITS[digest[at]! % 32]).join('')
}

/** Each object is a file of a commit; the branch of the dead one is deleted. */
const OSTREE: CollectPeer = {
  name: 'ostree',
  make(directory, objects, dead) {
    const repo = `--repo=${join(directory, 'repo')}`
    outputOf(['ostree', repo, 'init', '--mode=bare-user'])
    for (const [branch, from, to] of [
      ['kept', 0, objects - dead],
      ['dead', objects - dead, objects],
    ] as const) {
      const tree = join(directory, branch)
      for (let index = from; index < to; index++) {
        const place = join(tree, String(Math.floor(index / 13)))
        if (index === from || index % 13 === 0) mkdirSync(place, { recursive: true })
        const fd = openSync(join(place, String(index)), 'w')
        writeSync(fd, `object ${index}\n`.repeat(16))
        closeSync(fd)
      }
      outputOf(['ostree', repo, 'commit', '--fsync=false', `--branch=${branch}`, `--tree=dir=${tree}`])
      rmSync(tree, { recursive: true })
    }
    outputOf(['ostree', repo, 'refs', '--delete', 'dead'])
  },
  collect: (directory) => timeOf(['ostree', `--repo=${join(directory, 'repo')}`, 'prune', '--refs-only']),
}
