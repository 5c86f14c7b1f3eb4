// Kubo, the nearest peer, where it is installed: $KUBO names the program, else it is
// looked for in PATH and in ~/.cache/peers.

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

const candidates = [
  process.env.KUBO ?? '',
  ...(process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'ipfs')),
  join(homedir(), '.cache', 'peers', 'ipfs'),
]

/** The program; undefined when it is not on this machine. */
export const KUBO = candidates.find((file) => file !== '' && existsSync(file))

/** Why a test with Kubo is left out; false when it is here. */
export const NO_KUBO = KUBO === undefined && "Kubo's `ipfs` is not on this machine (set KUBO to its path)"

/** Runs `ipfs` offline in a repository of its own, made on first use with the profile whose CIDs are ours. */
export function kubo(repository: string): (args: string[], input?: Uint8Array) => Buffer {
  const run = (args: string[], input?: Uint8Array) =>
    execFileSync(KUBO as string, args, {
      input: input ?? Buffer.alloc(0),
      env: { ...process.env, IPFS_PATH: repository },
      maxBuffer: 1 << 30,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
  run(['init', '--profile=unixfs-v1-2025,test'])
  return run
}
