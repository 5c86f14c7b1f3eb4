// What keeps a package's programs from working, said on standard error where one is made.

import type { Fault } from '../../packages/faults.ts'
import type { Context } from '../context.ts'
import { printable } from './output.ts'

/** Tells each fault, and the way out. */
export function faultNotes({ note }: Pick<Context, 'note'>): (fault: Fault) => void {
  return ({ path, why, hint }) => {
    note(`warning: ${printable(path)} ${printable(why)}`)
    note(`hint: ${printable(hint)}`)
  }
}
