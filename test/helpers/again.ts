// Somebody who does the same again and again beside a test, in a process of their own.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'

/** Some system calls long: what comes between two of them meets the window, and seldom the next one too. */
export const MAX_PAUSE_MS = 0.5

/**
 * Runs `loop` after moments of random length until the test ends; `fs` is there, `n` counts from 1, and what
 * `before` declared. Resolves when it has begun.
 */
export async function again(t: TestContext, loop: string, before = ''): Promise<void> {
  const script = `const fs = require('node:fs')
    let seed = 1
    const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647
    ${before}
    fs.writeSync(1, '.')
    for (let n = 1; ; n++) {
      for (const until = performance.now() + random() * ${MAX_PAUSE_MS}; performance.now() < until; );
      ${loop}
    }`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
}
