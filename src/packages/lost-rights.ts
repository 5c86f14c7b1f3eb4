// Programs of a directory that run with other rights than those of whoever starts them.
// A store has none of that: files are nobody's there, and the mount is nosuid.

import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { namesIn } from '../files/directory.ts'
import type { Fault } from './faults.ts'
import { PROGRAMS_DIRECTORY } from './programs.ts'

/** setuid and setgid, which `node:fs` does not name (stat.h). */
const OTHER_RIGHTS = 0o6000

/** The programs that lose them. What capabilities(7) a file has, Node cannot read. */
export function lostRights(directory: string): Fault[] {
  const names = namesIn(join(directory, PROGRAMS_DIRECTORY), ['ENOTDIR'])
  const lost = names.sort().filter((name) => {
    const stats = lstatSync(join(directory, PROGRAMS_DIRECTORY, name), { throwIfNoEntry: false })
    return stats?.isFile() && (stats.mode & OTHER_RIGHTS) !== 0
  })
  return lost.map((name) => ({
    path: `${PROGRAMS_DIRECTORY}/${name}`,
    why: 'is setuid or setgid, which a store does not keep: it runs with the rights of whoever starts it',
    hint: 'Install it by other means, outside the store, if it needs them.',
  }))
}
