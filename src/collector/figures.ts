// What a collection finds: as a plan, and as what was done.

import type { NamedProcess } from '../pins/processes.ts'
import type { GoneAutoPin, Root, UnreadableRoot } from '../pins/root.ts'
import type { CID } from '../store/cid.ts'
import type { Amount } from './amount.ts'
import type { CheckoutFigures } from './dead-checkouts.ts'
import type { DeadGroup } from './dead-groups.ts'
import type { Room, StoppedBy } from './limit.ts'
import type { SkippedProfile } from './old-generations.ts'
import type { Generation, KeptGeneration } from './retention.ts'

/** The amount is what is deleted. */
type Figures = CheckoutFigures &
  Amount & {
    /** generations that the policy lets go */
    generations: Generation[]
    /** generations that stay though more were to go, and why */
    kept: KeptGeneration[]
    /** auto pins whose link was deleted */
    gone: GoneAutoPin[]
    /** the same amount by why it is dead, the largest group first */
    dead: DeadGroup[]
    /** there only when dead blocks are left, which a limit spares: why, and how much */
    stopped?: StoppedBy
    left?: Amount
    /** there only where so much was asked for: what is free then */
    room?: Room
    /** blocks without a root that stay because they, or what leads to them, were written within the grace time */
    young: number
    /** blocks that roots reach */
    keptBlocks: number
    /** roots that cannot be read; one without a `cid` keeps everything */
    unreadable: UnreadableRoot[]
    /** processes of others at which we may not look: what they run from the store is not seen */
    deniedProcesses: number
    /** the first of them */
    deniedFirst: NamedProcess[]
    /** processes of which not all could be read in time: only what they hold otherwise is seen */
    stuckProcesses: NamedProcess[]
    /** nodes that a root reaches but that are not here, as in a pin of a part of a DAG */
    incomplete: CID[]
    /** nodes that a root reaches but that are damaged: unless it is told otherwise, a collection stops there (damage.ts) */
    damaged: CID[]
  }

/** What would be deleted now. */
export type CollectionPlan = Figures & {
  /** what keeps the rest alive */
  roots: Root[]
}

/** What was deleted, or in a dry run would be. */
export type CollectionResult = Figures & {
  dryRun: boolean
  /** dead blocks that somebody claimed while the collection ran */
  claimed: number
  /** how many keep the rest alive */
  roots: number
  skipped: SkippedProfile[]
}
