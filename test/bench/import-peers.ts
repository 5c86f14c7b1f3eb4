// How the peers import a tree into an empty store of their own.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { outputOf } from './measure.ts'
import { inPath, kubo } from './peers.ts'
import type { Work } from './work.ts'

export type ImportPeer = {
  name: string
  /** we promise to be ahead of it */
  promised: boolean
  /** Makes the empty store; not timed. */
  prepare(to: string): void
  command(tree: string, to: string): [words: string[], { env?: NodeJS.ProcessEnv }?]
}

/** Those that are here. */
export function importPeers(work: Work): ImportPeer[] {
  const ipfs = kubo()
  const all: (ImportPeer | undefined)[] = [
    inPath('nix-store') ? nix(work) : undefined,
    inPath('ostree') ? OSTREE : undefined,
    ipfs ? kuboAdd(ipfs) : undefined,
  ]
  return all.filter((peer) => peer !== undefined)
}

function nix(work: Work): ImportPeer {
  // Its build users are of no use to an import; without this setting root needs them.
  const env = { ...process.env, HOME: work.folder('nix-home'), NIX_CONFIG: 'build-users-group =' }
  return {
    name: 'nix-store',
    promised: true,
    prepare: () => {},
    command: (tree, to) => [['nix-store', '--store', `local?root=${to}`, '--add', tree], { env }],
  }
}

const OSTREE: ImportPeer = {
  name: 'ostree',
  promised: true,
  prepare: (to) => void outputOf(['ostree', `--repo=${to}`, 'init', '--mode=bare-user']),
  command: (tree, to) => [['ostree', `--repo=${to}`, 'commit', '--branch=bench', `--tree=dir=${tree}`]],
}

function kuboAdd(ipfs: string): ImportPeer {
  const env = (to: string) => ({ ...process.env, IPFS_PATH: join(to, 'repo') })
  return {
    name: 'kubo',
    promised: false,
    prepare: (to) => {
      rmSync(join(to, 'repo'), { recursive: true, force: true })
      outputOf([ipfs, 'init', '--empty-repo', '--profile=test'], { env: env(to) })
    },
    command: (tree, to) => [
      [
        ipfs,
        'add',
        '-r',
        '-Q',
        '--offline',
        '--cid-version=1',
        '--raw-leaves',
        '--chunker=size-1048576',
        tree,
      ],
      { env: env(to) },
    ],
  }
}
