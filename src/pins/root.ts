// What keeps a DAG alive: the one type for every kind of root, and what is said
// about roots that could not be read.

import type { CID } from '../store/cid.ts'

export type RootKind = 'pin' | 'auto' | 'generation' | 'temp' | 'process'

export type Root = {
  kind: RootKind
  cid: CID
  /** a pin's name, a profile's user and generation, a process's command */
  name: string
  /** the link, temp pin or /proc entry that is the root; for an auto pin the user's own link */
  path: string
  user?: string
  /** of an auto pin: the link in `pins/` that watches `path` */
  autoPin?: string
  /** of a generation, also of one that an auto pin keeps: the directory of its profile, and its number */
  profile?: string
  number?: number
  /** of a generation: its profile's `current` leads to it */
  current?: boolean
  /** of an auto pin whose link cannot be read now: `cid` is what it led to when it last could */
  remembered?: boolean
  /** symlinks that lead from `path` to the store, as physical paths; the first one is the root itself */
  via: string[]
}

/**
 * A place where roots are that cannot be read (invariant 5). With `cid` the root
 * is known from its record and kept; without, nothing at all may be deleted, but
 * where it is `foreign`: of another user than root, who reads it, and who lets no
 * user stop everybody's collections.
 */
export type UnreadableRoot = { path: string; errno: string; cid?: CID; foreign?: boolean }

/** An auto pin whose link was deleted by its owner. */
export type GoneAutoPin = { autoPin: string; path: string }
