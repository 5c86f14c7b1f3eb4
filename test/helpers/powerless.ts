// Node as a process to which permissions apply, also in tests that root runs: root
// without capabilities owns its files like anybody else. Becoming another user
// instead would not do where that user may not read the checkout.

import { spawnSync } from 'node:child_process'

/** Runs Node with these arguments; waits for its end. */
export function runPowerless(
  args: string[],
  env = process.env,
): { status: number | null; stdout: string; stderr: string } {
  const root = process.getuid?.() === 0
  const [command, ...words] = root
    ? ['setpriv', '--bounding-set=-all', '--inh-caps=-all', process.execPath, ...args]
    : [process.execPath, ...args]
  return spawnSync(command as string, words, { encoding: 'utf8', env })
}
