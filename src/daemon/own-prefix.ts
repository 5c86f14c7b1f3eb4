// The daemon of root writes in a prefix by path, the log from its first moment: a prefix
// in which another user could put links in the place of what it opens is not root's to serve.

import { join } from 'node:path'
import { namesIn } from '../files/directory.ts'
import { requireOwnPlace } from '../files/own-place.ts'
import type { PrefixPaths } from '../paths.ts'

/** As root: throws PERMISSION where something that the daemon writes, or that is on the way to it, is another user's. */
export function requireOwnPrefix(paths: PrefixPaths): void {
  const { blocksTemp, tempPins, pinsPerUser, profilesPerUser, config } = paths
  for (const place of [paths.var, blocksTemp, tempPins, pinsPerUser, profilesPerUser, config]) {
    requireOwnPlace(place)
  }
  // The mount point is not looked at: it may be a mount that nobody serves.
  for (const name of namesIn(paths.var, ['ENOTDIR'])) requireOwnPlace(join(paths.var, name))
}
