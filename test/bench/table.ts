// The table: one row a workload, a column for every peer that was measured.

export type Row = {
  title: string
  /** milliseconds unless `unit` says otherwise: medians over the rounds */
  ours: number
  reference: number
  /** what the reference is: 'ext4', 'bare loop' */
  against: string
  /** ours / reference, the median of the rounds' ratios */
  ratio: number
  /** the most that the ratio may be; undefined: nothing was promised */
  limit?: number
  unit?: 'ms' | 'MiB'
  /** by peer; the same work on the same data */
  peers?: Record<string, number>
  /** peers that we promise to be ahead of, where they are there */
  ahead?: readonly string[]
  /** what else was seen */
  note?: string
}

const COLUMNS = ['workload', 'ours', 'reference', 'ratio', 'limit', 'met']

export function table(rows: readonly Row[]): string {
  const peers = [...new Set(rows.flatMap((row) => Object.keys(row.peers ?? {})))]
  const noted = rows.some(({ note }) => note !== undefined)
  const lines = [
    [...COLUMNS, ...peers, ...(noted ? [''] : [])],
    ...rows.map((row) => [
      row.title,
      figure(row.ours, row),
      `${figure(row.reference, row)} ${row.against}`,
      row.ratio.toFixed(2),
      row.limit?.toFixed(2) ?? '',
      verdict(row),
      ...peers.map((peer) => (row.peers?.[peer] === undefined ? '' : figure(row.peers[peer], row))),
      ...(noted ? [row.note ?? ''] : []),
    ]),
  ]
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  const text = lines.map((line) =>
    line.map((cell, column) => align(cell, widths[column]!, column)).join('  '),
  )
  return [text[0], widths.map((width) => '-'.repeat(width)).join('  '), ...text.slice(1)]
    .map((line) => line?.trimEnd())
    .join('\n')
}

/** Met: within the limit, and ahead of every peer that was promised and measured. */
function verdict({ ours, ratio, limit, peers = {}, ahead = [] }: Row): string {
  const rivals = ahead.filter((peer) => peers[peer] !== undefined)
  if (limit === undefined && rivals.length === 0) return ''
  const behind = rivals.filter((peer) => ours >= peers[peer]!)
  if (limit !== undefined && ratio > limit) return 'NO'
  return behind.length > 0 ? `NO: behind ${behind.join(', ')}` : 'yes'
}

function figure(value: number, { unit = 'ms' }: Row): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`
}

/** Words to the left, numbers to the right. */
function align(cell: string, width: number, column: number): string {
  return column === 0 || column === COLUMNS.indexOf('met') ? cell.padEnd(width) : cell.padStart(width)
}
