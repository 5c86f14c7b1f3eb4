// What a person is shown of the look at the blocks after an unclean stop, which the
// first command that adds something has to wait for (store/recheck.ts).

import type { Store } from '../store/store.ts'
import type { Context } from './context.ts'
import { count, printable } from './output.ts'
import type { Task } from './progress.ts'

type Shown = Pick<Context, 'progress' | 'note' | 'defer'>

/** Shows a bar while the store looks, and a note where it found something. */
export function showRecheck(store: Store, { progress, note, defer }: Shown): void {
  let task: Task | undefined
  store.onRecheck = ({ bytes, bad, done }) => {
    if (task === undefined) {
      task = progress.task('Verifying what was written before the machine stopped')
      defer(task.end)
    }
    task.update({ done: bytes })
    if (!done) return
    task.end()
    if (bad.length === 0) return
    note(
      `${count(bad.length, 'block')} had been damaged when the machine stopped, and ${bad.length === 1 ? 'is' : 'are'} in ${printable(store.paths.quarantine)}:\n` +
        '`pkg store verify` tells whether anything needs them',
    )
  }
}
