// What a person is shown of the look at the blocks after an unclean stop, which the
// first command that adds something has to wait for (store/add/recheck.ts).

import { type RecheckNews, recheckNews } from '../../store/add/recheck.ts'
import type { Store } from '../../store/store.ts'
import { count, printable } from './output.ts'
import type { Progress, Task } from './progress.ts'

type Shown = { progress: Progress; note: (text: string) => void; defer: (fn: () => void) => void }

/** Shows a bar while the store looks, and a note where it found something. */
export function showRecheck(store: Store, { progress, note, defer }: Shown): void {
  let task: Task | undefined
  const show = (news: unknown) => {
    const { store: looked, figures } = news as RecheckNews
    if (looked !== store) return
    const { bytes, bad, done } = figures
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
  recheckNews.subscribe(show)
  defer(() => void recheckNews.unsubscribe(show))
}
