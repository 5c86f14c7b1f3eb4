// Removes a sealed tree: its directories are read-only, and opened one by one. No
// symlink is followed; one is removed as what it is.

import { chmodSync, lstatSync, rmdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { isErrno } from '../../errors.ts'
import { namesIn } from '../../files/directory.ts'

/** Entries removed between two turns of the event loop: some 10 ms. */
const BREATH_ENTRIES = 512

type Frame = { directory: string; names: string[] }

/** Removes what lies at `path`, whatever it is. Idempotent; beside others doing the same, too. Throws EACCES, EROFS, EIO. */
export async function removeTree(path: string): Promise<void> {
  const stack: Frame[] = []
  let entries = 0
  enter(path)
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    const name = frame.names.pop()
    if (name !== undefined) enter(join(frame.directory, name))
    else {
      stack.pop()
      ignoreGone(rmdirSync, frame.directory)
    }
    if (++entries % BREATH_ENTRIES === 0) await nextTurn()
  }

  function enter(place: string): void {
    const stats = lstatSync(place, { throwIfNoEntry: false })
    if (stats?.isDirectory()) {
      ignoreGone((directory) => chmodSync(directory, 0o700), place)
      stack.push({ directory: place, names: namesIn(place) })
    } else if (stats !== undefined) ignoreGone(unlinkSync, place)
  }
}

function ignoreGone(act: (path: string) => void, path: string): void {
  try {
    act(path)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}
