// A place where everything that a mount needs is there, and mount(2) fails all the same: a
// user namespace has all rights for itself, and none over the mounts around it.

import { spawnSync } from 'node:child_process'
import { type Outcome, outcome, type Sandbox, START } from './harness.ts'

const APART = ['unshare', '--user', '--map-root-user']

/** For a test's `skip`: why there is no such place here, or false. */
export const WITHOUT_USER_NAMESPACE: string | false =
  spawnSync(APART[0] as string, [...APART.slice(1), process.execPath, '-e', "fs.openSync('/dev/fuse', 'r+')"])
    .status === 0
    ? false
    : 'no user namespace that may open /dev/fuse can be made here'

/** Runs `pkg` there, and with it the daemon that it starts. */
export function runWhereMountingFails(box: Sandbox, words: string[]): Promise<Outcome> {
  const command = [process.execPath, '--disable-warning=ExperimentalWarning', START, ...words]
  return outcome([...APART, ...command], { cwd: box.directory, env: box.env })
}
