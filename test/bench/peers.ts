// The peers that we measure ourselves against: three of Debian's, and Kubo.

import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

/** Program → Debian's package that has it. */
const PACKAGES: Record<string, string> = {
  squashfuse: 'squashfuse',
  mksquashfs: 'squashfs-tools',
  ostree: 'ostree',
  'nix-store': 'nix-bin',
}

/** Where a program lies; undefined when PATH does not lead to it. */
export function inPath(program: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  return folders.map((folder) => join(folder, program)).find(isExecutable)
}

/** Kubo's `ipfs`: the one in PATH, $KUBO, or ~/.cache/peers/ipfs. */
export function kubo(): string | undefined {
  return (
    inPath('ipfs') ??
    [process.env.KUBO ?? '', join(homedir(), '.cache/peers/ipfs')].find((file) => isExecutable(file))
  )
}

/** One line for each peer that is not here. */
export function missingPeers(): string[] {
  const missing = Object.entries(PACKAGES)
    .filter(([program]) => inPath(program) === undefined)
    .map(
      ([program, name]) =>
        `no column for ${program}: it is not installed (Debian: ${name}; --peers installs it)`,
    )
  return kubo()
    ? missing
    : [...missing, 'no column for kubo: there is no ipfs in PATH, in $KUBO or in ~/.cache/peers']
}

/** Installs what is missing of Debian's; only root can. Says what it does, and goes on where it fails. */
export function installPeers(): void {
  const missing = Object.keys(PACKAGES).filter((program) => inPath(program) === undefined)
  const packages = missing.map((program) => PACKAGES[program] as string)
  if (packages.length === 0) return
  if (process.getuid?.() !== 0 || inPath('apt-get') === undefined) {
    console.log(`--peers: only root, on Debian, can install ${packages.join(' ')}`)
    return
  }
  console.log(`--peers: apt-get install ${packages.join(' ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (const words of [['update'], ['install', '-y', '--no-install-recommends', ...packages]]) {
    const { status, stderr } = spawnSync('apt-get', ['-q', ...words], { env, encoding: 'utf8' })
    if (status !== 0) console.log(`--peers: apt-get ${words[0]} failed: ${stderr.trim()}`)
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return file !== ''
  } catch {
    return false
  }
}
