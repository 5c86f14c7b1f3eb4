// "Did you mean": the names nearest to one that is not there. Pure.

/** More suggestions than this help nobody. */
const MAX_SUGGESTIONS = 3

/**
 * Up to three of `names`, nearest first: those that differ by a slip or two of the
 * keyboard, then those that begin with what was typed.
 */
export function suggest(wanted: string, names: Iterable<string>): string[] {
  const typed = wanted.toLowerCase()
  // A third of the letters wrong is another word.
  const limit = Math.min(2, Math.max(1, Math.floor(typed.length / 3)))
  const found: { name: string; rank: number }[] = []
  for (const name of new Set(names)) {
    const other = name.toLowerCase()
    const distance = Math.abs(other.length - typed.length) > limit ? limit + 1 : editDistance(typed, other)
    if (distance <= limit) found.push({ name, rank: distance })
    else if (typed.length >= 2 && other.startsWith(typed)) found.push({ name, rank: limit + other.length })
  }
  found.sort((a, b) => a.rank - b.rank || (a.name < b.name ? -1 : 1))
  return found.slice(0, MAX_SUGGESTIONS).map(({ name }) => name)
}

/**
 * Insertions, deletions, changes and swaps of neighbours that turn `a` into `b`
 * (optimal string alignment distance). Quadratic: for names.
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      let best = Math.min(at(last, j) + 1, at(row, j - 1) + 1, change)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) best = Math.min(best, at(beforeLast, j - 2) + 1)
      row.push(best)
    }
    beforeLast = last
    last = row
  }
  return at(last, b.length)
}

function at(row: number[], index: number): number {
  return row[index] ?? 0
}
