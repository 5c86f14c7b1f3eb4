// The union of package trees: which links and directories an environment has. Pure and lazy: a directory is
// listed only when more than one package provides it.
//
// What a package shares. `nix-env` links whole packages and so makes users choose between two LICENSE files;
// NixOS picks directories (buildEnv's pathsToLink). Our packages are all-in-one: their lib/ is private, and two of
// them may well bring different builds of one library. So an environment takes the directories that are found
// through a search path: bin and sbin (PATH), share (MANPATH, XDG_DATA_DIRS, completions), etc (XDG_CONFIG_DIRS).
// A program finds its own lib/ all the same, for its path is the package's own.

import { PkgError } from '../errors.ts'
import { shellWord } from '../paths.ts'

/** Top-level directories of a package that enter an environment; a file of such a name does not. */
export const SHARED_NAMES: readonly string[] = ['bin', 'sbin', 'share', 'etc']

/** These are real directories also when one package alone provides them: `bin/x` always is a link that names its package. */
const NEVER_FOLDED: readonly string[] = ['bin', 'sbin']

/** Levels and entries of a union, at most: DAGs that repeat a node can hold more paths than memory does. */
const MAX_DEPTH = 64
const MAX_ENTRIES = 500_000

export interface TreeNode {
  /** Equal for equal content, as a CID is; for a symlink, of what it leads to. */
  readonly identity: () => string
  /** What a directory holds, each name once; undefined for anything else. Asked for only where two meet, and in bin/. */
  readonly entries: () => Iterable<readonly [name: string, node: TreeNode]> | undefined
}

export interface UnionPackage {
  readonly name: string
  readonly version: string
  /** names the package in the links */
  readonly cid: string
  readonly priority: number
  /** what `pkg install` takes for this very package, for hints; default `name@version` */
  readonly spec?: string
  readonly root: TreeNode
}

export type UnionEntry =
  | { readonly path: string; readonly link: string }
  | { readonly path: string; readonly directory: true }

const folds = (path: readonly string[]) => path.length > 1 || !NEVER_FOLDED.includes(path[0] as string)

type Provider = { readonly from: UnionPackage; readonly node: TreeNode }
type Collision = { readonly path: string; readonly first: UnionPackage; readonly second: UnionPackage }

/**
 * The entries of the union, parents before children, independent of the order of `packages`.
 *
 * A path that one package provides is one link, a directory too. A directory that several provide is a real
 * directory with the union of theirs. A file that several provide is the one of the highest priority; at equal
 * priority the contents have to be equal. Throws COLLISION naming both packages, the path and how to choose;
 * BAD_NODE for trees beyond all measure.
 */
export function unionOf(packages: readonly UnionPackage[]): UnionEntry[] {
  const entries: UnionEntry[] = []
  const collisions: Collision[] = []
  const ordered = [...packages].sort((a, b) => b.priority - a.priority || (a.name < b.name ? -1 : 1))
  merge(
    [],
    ordered.map((from) => ({ from, node: from.root })),
  )
  const [collision] = collisions
  if (collision !== undefined) throw collisionError(collision, collisions)
  return entries

  /** The union of directories: `providers` come by priority, the highest first, and keep that order. */
  function merge(path: readonly string[], providers: readonly Provider[]): void {
    if (path.length > MAX_DEPTH)
      throw new PkgError('BAD_NODE', `${path.join('/')} is nested too deep for an environment`)
    const byName = new Map<string, Provider[]>()
    for (const { from, node } of providers) {
      for (const [name, child] of node.entries() ?? []) {
        if (path.length === 0 && !(SHARED_NAMES.includes(name) && child.entries() !== undefined)) continue
        const found = byName.get(name)
        if (found) found.push({ from, node: child })
        else byName.set(name, [{ from, node: child }])
      }
    }
    for (const name of [...byName.keys()].sort()) place([...path, name], byName.get(name) as Provider[])
  }

  function place(path: readonly string[], providers: readonly Provider[]): void {
    const top = providers[0] as Provider
    const rivals = providers.filter(({ from }) => from.priority === top.from.priority)
    if (providers.length === 1 && folds(path)) link(path, top)
    else if (top.node.entries() === undefined) placeFile(path, top, rivals)
    else {
      const file = rivals.find(({ node }) => node.entries() === undefined)
      if (file !== undefined) collide(path, top, file)
      else placeDirectory(path, top, providers)
    }
  }

  function placeFile(path: readonly string[], top: Provider, rivals: readonly Provider[]): void {
    const isSame = ({ node }: Provider) =>
      node.entries() === undefined && node.identity() === top.node.identity()
    const different = rivals.find((rival) => rival !== top && !isSame(rival))
    if (different === undefined) link(path, top)
    else collide(path, top, different)
  }

  function placeDirectory(path: readonly string[], top: Provider, providers: readonly Provider[]): void {
    // A file of lower priority loses to the directory; directories of lower priority still add what is theirs.
    const directories = providers.filter(({ node }) => node.entries() !== undefined)
    if (directories.length === 1 && folds(path)) link(path, top)
    else {
      add({ path: path.join('/'), directory: true })
      merge(path, directories)
    }
  }

  function link(path: readonly string[], { from }: Provider): void {
    add({ path: path.join('/'), link: `${'../'.repeat(path.length)}${from.cid}/${path.join('/')}` })
  }

  function add(entry: UnionEntry): void {
    if (entries.length >= MAX_ENTRIES)
      throw new PkgError('BAD_NODE', `an environment of more than ${MAX_ENTRIES} entries`)
    entries.push(entry)
  }

  function collide(path: readonly string[], first: Provider, second: Provider): void {
    collisions.push({ path: path.join('/'), first: first.from, second: second.from })
  }
}

function collisionError({ path, first, second }: Collision, all: readonly Collision[]): PkgError {
  const label = ({ name, version }: UnionPackage) => `${name}@${version}`
  const more = all.length > 1 ? ` (and ${all.length - 1} more, such as ${all[1]?.path})` : ''
  const prefer = (one: UnionPackage) =>
    `pkg install ${shellWord(one.spec ?? label(one))} --priority ${first.priority + 1}`
  return new PkgError('COLLISION', `${label(first)} and ${label(second)} both provide ${path}${more}`, {
    hint:
      `Choose one: ${prefer(first)} or ${prefer(second)}, then ask for the other again. ` +
      `The higher priority wins; both have ${first.priority} now. Or pkg remove one of them.`,
  })
}
