// Progress of long work, on standard error: a bar that redraws itself on a
// terminal, a plain line now and then elsewhere, nothing under --quiet.
// Results go to standard output, so a pipe never sees any of this.

import { formatBytes, printable } from './output.ts'

export type Step = {
  /** how much is done, in the step's unit */
  done: number
  /** undefined while nobody knows */
  total?: number | undefined
  /** what is being worked on */
  detail?: string | undefined
}

export type Task = {
  update(step: Step): void
  /** Takes the bar away. Idempotent. */
  end(): void
}

export type Progress = {
  task(label: string, unit?: 'bytes' | 'items'): Task
}

/** Milliseconds between two drawings: about what an eye can follow. */
const REDRAW_MS = 80

/** Milliseconds between two plain lines: enough to see in a log that it lives. */
const PLAIN_MS = 5_000

const BAR_WIDTH = 24

type Output = Pick<NodeJS.WriteStream, 'write' | 'isTTY' | 'columns'>

type ProgressOptions = {
  quiet: boolean
  env: NodeJS.ProcessEnv
  /** milliseconds; a test brings its own */
  now?: () => number
}

export function createProgress(
  output: Output,
  { quiet, env, now = () => performance.now() }: ProgressOptions,
): Progress {
  if (quiet) return { task: () => ({ update() {}, end() {} }) }
  const live = output.isTTY === true && env.TERM !== 'dumb' && !env.CI
  return {
    task(label, unit = 'bytes') {
      const began = now()
      // A plain log begins after its first pause: short work leaves no line.
      let drawn = live ? Number.NEGATIVE_INFINITY : began
      let visible = false
      let ended = false
      return {
        update(step) {
          if (ended || now() - drawn < (live ? REDRAW_MS : PLAIN_MS)) return
          drawn = now()
          visible = live
          const columns = live ? (output.columns || 80) - 1 : undefined
          const line = describe(label, step, unit, drawn - began, columns)
          // Erase to the end of the line (EL, ECMA-48), then draw from its start.
          output.write(live ? `\r\u001b[K${line}` : `${line}\n`)
        },
        end() {
          ended = true
          if (visible) output.write('\r\u001b[K')
          visible = false
        },
      }
    },
  }
}

/**
 * One line: label, bar when the total is known, amount, rate, detail. Where it is wider than
 * `columns` the bar gets shorter first, then detail and total go: the rate is what one waits by.
 */
export function describe(
  label: string,
  step: Step,
  unit: 'bytes' | 'items',
  elapsedMs: number,
  columns = Number.POSITIVE_INFINITY,
): string {
  const amount = (value: number) => (unit === 'bytes' ? formatBytes(value) : value.toLocaleString('en'))
  const share = step.total ? Math.min(1, step.done / step.total) : undefined
  const rate =
    unit === 'bytes' && elapsedMs >= 1000
      ? `${formatBytes(Math.round((step.done * 1000) / elapsedMs))}/s`
      : undefined
  const line = ({ width, total, detail }: (typeof SHAPES)[number]) => [
    label,
    share !== undefined && width > 0 ? bar(share, width) : undefined,
    share === undefined ? undefined : `${String(Math.floor(share * 100)).padStart(3)}%`,
    share !== undefined && total ? `${amount(step.done)} of ${amount(step.total ?? 0)}` : amount(step.done),
    rate,
    detail && step.detail ? printable(step.detail) : undefined,
  ]
  const lines = SHAPES.map((shape) =>
    line(shape)
      .filter((part) => part !== undefined)
      .join('  '),
  )
  return lines.find((text) => text.length <= columns) ?? (lines.at(-1) ?? '').slice(0, columns)
}

/** From all there is to the least that still tells how it goes. */
const SHAPES = [
  { width: BAR_WIDTH, total: true, detail: true },
  { width: BAR_WIDTH, total: true, detail: false },
  { width: BAR_WIDTH / 2, total: true, detail: false },
  { width: 0, total: true, detail: false },
  { width: 0, total: false, detail: false },
]

function bar(share: number, width: number): string {
  const filled = Math.round(share * width)
  return `[${'#'.repeat(filled)}${'.'.repeat(width - filled)}]`
}
