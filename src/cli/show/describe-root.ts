// What roots are called where people read them: said the same way everywhere.

import { describeRoot } from '../../pins/describe-root.ts'
import type { Root } from '../../pins/root.ts'

export { describeRoot }

/** The same of many, each once; the generations of a profile in one: `generations 1-4, 6 of … (6 is current)`. */
export function describeRoots(roots: readonly Root[]): string[] {
  const groups = Map.groupBy(roots, (root) => {
    return root.profile !== undefined && root.number !== undefined ? root.profile : describeRoot(root)
  })
  return Array.from(groups.values(), (group) => {
    const [first, ...more] = group as [Root, ...Root[]]
    if (more.length === 0 || first.number === undefined) return describeRoot(first)
    const current = group.find((root) => root.current)?.number
    const note = current === undefined ? '' : ` (${current} is current)`
    const numbers = group.map(({ number }) => number as number).sort((a, b) => a - b)
    return `generations ${ranges(numbers)} of ${first.profile}${note}`
  })
}

/** `1-50, 52` of ascending numbers. */
export function ranges(numbers: readonly number[]): string {
  const found: [number, number][] = []
  for (const number of numbers) {
    const last = found.at(-1)
    if (last && last[1] + 1 >= number) last[1] = number
    else found.push([number, number])
  }
  return found.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ')
}
