// Entry point of the mount server process, and of its reader threads.
// Arguments: --prefix <path>, and --replace to have one that serves already give way.

import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { isMainThread } from 'node:worker_threads'

if (isMainThread) {
  const { values } = parseArgs({
    options: { prefix: { type: 'string' }, replace: { type: 'boolean' } },
  })
  const { resolvePrefix } = await import('../paths.ts')
  const { serveMount } = await import('./serve.ts')
  const { fixUmask } = await import('../files/modes.ts')
  const { endOnFatal } = await import('../files/fatal.ts')
  endOnFatal('mount server')
  fixUmask()
  try {
    await serveMount(values.prefix ?? resolvePrefix(), fileURLToPath(import.meta.url), {
      replace: values.replace ?? false,
    })
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  }
} else {
  const { serveReads } = await import('./reader-thread.ts')
  serveReads()
}
