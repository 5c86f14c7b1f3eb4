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
          const line = describe(label, step, unit, drawn - began)
          // Erase to the end of the line (EL, ECMA-48), then draw from its start.
          output.write(live ? `\r\u001b[K${line.slice(0, (output.columns || 80) - 1)}` : `${line}\n`)
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

/** One line: label, bar when the total is known, amount, rate. */
export function describe(label: string, step: Step, unit: 'bytes' | 'items', elapsedMs: number): string {
  const amount = (value: number) => (unit === 'bytes' ? formatBytes(value) : value.toLocaleString('en'))
  const parts = [label]
  if (step.total !== undefined && step.total > 0) {
    const share = Math.min(1, step.done / step.total)
    const filled = Math.round(share * BAR_WIDTH)
    parts.push(`[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}]`)
    parts.push(`${String(Math.floor(share * 100)).padStart(3)}%`)
    parts.push(`${amount(step.done)} of ${amount(step.total)}`)
  } else {
    parts.push(amount(step.done))
  }
  if (unit === 'bytes' && elapsedMs >= 1000)
    parts.push(`${formatBytes(Math.round((step.done * 1000) / elapsedMs))}/s`)
  if (step.detail) parts.push(printable(step.detail))
  return parts.join('  ')
}
