// `pkg store checkout`: the real tree of a DAG, where the store is not mounted. What is
// installed has one by itself; this is for what a pin keeps.

import { defineCommand } from '../command.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('cid', { type: 'string', demandOption: true, describe: 'A CID, or a path into the store' })
      .example('pkg store checkout bafy…', 'Prints where it is; it stays as long as something keeps the DAG'),
  async run({ cid: text }, context) {
    const [{ withAdd }, { resolveHeldDag }, { makeRunnable }, { checkoutPath }] = await Promise.all([
      import('../../store/add/add.ts'),
      import('../dag.ts'),
      import('../mounting.ts'),
      import('../../store/checkout/names.ts'),
    ])
    const store = await context.openStore('change')
    const cid = (await resolveHeldDag(store, text, context)).toV1()
    await withAdd(store, async (add) => {
      await add.rely(cid)
      await makeRunnable(context, store, cid)
    })
    return { cid, path: checkoutPath(context.paths, cid) }
  },
  about: () => undefined,
  brief: ({ path }) => path,
})
