// Why dead blocks are dead, as far as it can be known: for people who look at a
// dry run. Nothing is decided by it.

import type { CID } from '../store/cid.ts'

/**
 * Dead blocks of one reason. Each dead block is in one group, the first whose root
 * reaches it, so the figures of all groups add up to those of the collection.
 */
export type DeadGroup = {
  /**
   * `generation`: only an old generation that the policy lets go reached them;
   * `auto-pin`: only an auto pin did whose link its owner deleted;
   * `complete`: a DAG that was whole here once, so it was pinned, installed or added, and that nothing keeps now;
   * `unfinished`: nothing is known of a whole DAG: an add that did not end, or an index that was rebuilt since
   */
  why: 'generation' | 'auto-pin' | 'complete' | 'unfinished'
  /** the top of what is dead; none for `unfinished` */
  cid?: CID
  /** of a generation: the directory of its profile, and its number */
  profile?: string
  number?: number
  /** of a generation its link, of an auto pin the user's own link */
  path?: string
  blocks: number
  bytes: number
}
