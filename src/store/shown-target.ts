// What a symlink of a DAG leads to, as programs see it. An environment's links are
// stored relative (`bin/x -> ../../<cid>/bin/x`), so that it has one CID under every
// prefix. Programs that find their own files join a link's text to the path that they
// were called by, and that path goes through symlinks (`~/.pkg-profile/bin/x`), where
// `..` leads elsewhere than the text says (CPython's getpath.py, shell launchers with
// `dirname $(readlink $0)`). So the mount and checkouts show such a link absolute.
// Not through the environment's own `packages/<name>`: a program that runs would then
// go on with another version's files when its profile is switched.

import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { PrefixPaths } from '../paths.ts'
import { tryParseCid } from './cid.ts'
import { MAX_TARGET } from './unixfs/node.ts'

/** Only what begins with all its `..` leads where it says, whatever links there are in the DAG. */
const UPWARDS = /^((?:\.\.\/)+)([^/]+)(\/.*)?$/s

/**
 * The store's path in what is shown: without symlinks on it. Whoever reaches the store by
 * any name may pass there, and nobody can lead it elsewhere by a link of theirs.
 * Throws what realpath(3) does for a prefix that is not there.
 */
export function physicalStore({ root }: Pick<PrefixPaths, 'root'>): string {
  return join(realpathSync(root), 'store')
}

/**
 * The target to show of the symlink at `path` (below its DAG's root, beginning with a
 * slash; '' is the root itself): absolute where it leaves the DAG for one beside it, else
 * `target`. `store` is where the DAGs lie. Of what it gives, it gives the same.
 */
export function shownTarget(store: string, path: string, target: string): string {
  const [, up, name = '', rest = ''] = UPWARDS.exec(target) ?? []
  if (up === undefined || up.length / '../'.length !== depthOf(path)) return target
  if (tryParseCid(name) === undefined) return target
  const shown = `${store}/${name}${rest}`
  return Buffer.byteLength(shown) > MAX_TARGET ? target : shown
}

/** Levels from the link's directory up to the store. */
function depthOf(path: string): number {
  return path.split('/').length - 1
}
