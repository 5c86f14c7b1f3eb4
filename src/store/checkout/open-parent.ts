// Changing an entry of a checkout, whose directories are read-only.

import { chmodSync, lstatSync, lutimesSync } from 'node:fs'
import { dirname } from 'node:path'

const DIRECTORY_MODE = 0o555

/** Runs `act` while the directory around `place` can be written; its mode and time then are what they were. */
export function withOpenParent(place: string, act: () => void): void {
  const parent = dirname(place)
  const { mtime } = lstatSync(parent)
  chmodSync(parent, 0o755)
  try {
    act()
  } finally {
    chmodSync(parent, DIRECTORY_MODE)
    lutimesSync(parent, mtime, mtime)
  }
}
