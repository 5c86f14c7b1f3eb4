// A prefix as a user has it after `pkg init`: daemon, mount and home of its own.

import { join } from 'node:path'
import { fuseObstacle } from '../../src/mount/requirements.ts'
import { outputOf } from './measure.ts'
import { launcher } from './product.ts'
import type { Work } from './work.ts'

/** `env` and `cwd` are what programs there are run with. */
export type PrefixInUse = { store: string; cwd: string; env: NodeJS.ProcessEnv }

const made = new WeakMap<Work, PrefixInUse>()

/** The same one each time; undefined, and a line that says so, where nothing can be mounted. */
export function prefixInUse(work: Work): PrefixInUse | undefined {
  const obstacle = fuseObstacle()
  if (obstacle) {
    console.log(`no rows from an installed prefix: ${obstacle.detail}`)
    return undefined
  }
  const known = made.get(work)
  if (known !== undefined) return known
  const cwd = work.folder('in-use')
  const root = join(cwd, 'prefix')
  const { XDG_CACHE_HOME: _, ...inherited } = process.env
  const env = { ...inherited, HOME: cwd, PKG_PREFIX: root, SHELL: '/bin/bash', CI: '1' }
  const prefix = { store: join(root, 'store'), cwd, env }
  work.defer(() => outputOf([launcher(work), 'daemon', 'stop', '--force'], prefix))
  outputOf([launcher(work), 'init'], prefix)
  made.set(work, prefix)
  return prefix
}
