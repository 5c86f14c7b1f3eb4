// The files that a process or a worker thread starts at, in both forms of the
// product: the TypeScript sources, run as they are, and the bundle in dist/.
// The build takes its entry points from this table, so neither form can lack one.

import { fileURLToPath } from 'node:url'

/** Entry point → its source, relative to src/. In dist/ it is `<name>.js`. */
export const ENTRY_POINTS = {
  pkg: 'cli/start.ts',
  daemon: 'daemon/main.ts',
  'mount-server': 'mount/server.ts',
  collector: 'daemon/collect/collector-process.ts',
  'process-scanner': 'pins/process-scanner.ts',
  'link-prober': 'pins/link-prober.ts',
  'import-worker': 'store/import/worker.ts',
  index: 'index.ts',
} as const

export type EntryPoint = keyof typeof ENTRY_POINTS

/** True when this code runs from the sources and not from the bundle. */
export const RUNS_FROM_SOURCE = import.meta.url.endsWith('.ts')

/** The absolute path of the installed `pkg`, the shell script that finds its Node by itself. */
export function launcher(): string {
  return fileURLToPath(new URL(RUNS_FROM_SOURCE ? 'cli/pkg' : '../src/cli/pkg', import.meta.url))
}

/** The absolute path of an entry point's file, in the same form as the code that asks. */
export function entryPoint(name: EntryPoint): string {
  // The bundle is flat: this module ends up in a chunk beside every entry point.
  const file = RUNS_FROM_SOURCE ? ENTRY_POINTS[name] : `${name}.js`
  return fileURLToPath(new URL(file, import.meta.url))
}
