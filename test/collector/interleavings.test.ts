// An add that begins at one point of a collection and ends at a later one: whatever
// it found present or wrote, and then linked, is whole at the end. With the temp pin
// seen whole, in half or not at all: that is what the pairs of points come to.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { runCollection } from '../../src/collector/collect.ts'
import { STOP_POINTS, type StopPoint } from '../../src/pins/stop-point.ts'
import { AddSession } from '../../src/store/add/add.ts'
import { Store } from '../../src/store/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'
import { addTree, link, missing, type Tree, tree } from './scenario.ts'

const directory = await temporaryDirectory({ after })
const store = Store.open(directory)
after(() => store.close())
let round = 0

/** These come at every collection that finds something dead. */
const POINTS = STOP_POINTS.filter((point) => !['generation-deleted', 'pin-set-aside'].includes(point))

/** Ends: at the same point, in the middle of a batch, between two, after all of them. */
const ENDS: readonly StopPoint[] = ['batch-claims-read', 'batch-done', 'swept']

/** What can be done at once is done when this returns; what has to wait for the batch we are in goes on beside it. */
function started(act: Promise<unknown>): Promise<unknown> {
  return Promise.race([act.catch(() => {}), new Promise((resolve) => setTimeout(resolve, 30))])
}

class Adder {
  readonly #add = new AddSession(store)
  readonly #trees: Tree[]
  #begun: Promise<unknown> = Promise.resolve()
  #ended: Promise<unknown> | undefined

  constructor(trees: Tree[]) {
    this.#trees = trees
  }

  /** The first half is in the temp pin, found present or written. */
  begin(): Promise<unknown> {
    this.#begun = this.#put(0)
    return started(this.#begun)
  }

  /** The second half too, then the links; then the temp pin is gone. */
  end(): Promise<unknown> {
    this.#ended ??= this.#begun.then(async () => {
      await this.#put(1)
      for (const { root } of this.#trees) {
        link(`../../../../store/${root}`, join(store.paths.pinsPerUser, 'eve', `${root}`, `${root}`))
      }
      this.#add.close()
    })
    return started(this.#ended)
  }

  whenEnded = () => this.#ended

  async #put(half: number): Promise<void> {
    for (const { dag } of this.#trees) {
      await this.#add.put([...dag.blocks.values()].filter((_, index) => index % 2 === half))
    }
  }
}

for (const begin of POINTS) {
  const ends = new Set([begin, ...ENDS.filter((end) => POINTS.indexOf(end) > POINTS.indexOf(begin))])
  test(`nothing is lost of an add that begins at "${begin}"`, async () => {
    for (const end of ends) {
      round += 1
      const found = await addTree(store, `found ${round}`)
      await addTree(store, `dead ${round}`)
      const trees = [found, tree(`fresh ${round}`)]
      const adder = new Adder(trees)
      let began = false
      const at = async (point: StopPoint) => {
        if (point === begin && !began) {
          began = true
          await adder.begin()
        }
        if (point === end && began) await adder.end()
      }
      await runCollection(store, {}, { at })
      assert.ok(adder.whenEnded(), `${begin}, ${end}: the add did not end`)
      await adder.whenEnded()
      assert.deepEqual(
        trees.flatMap(({ root }) => missing(store, root)),
        [],
        `begun at ${begin}, ended at ${end}`,
      )
    }
  })
}
