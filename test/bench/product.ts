// The product as it is shipped: the launcher and the bundle, built from these
// sources. It is what is measured, not the sources themselves.

import { cpSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { outputOf } from './measure.ts'
import type { Work } from './work.ts'

const ROOT = join(import.meta.dirname, '..', '..')

/** Builds it into `work`. */
export function buildProduct(work: Work): void {
  const root = work.folder('product')
  outputOf([
    process.execPath,
    join(ROOT, 'native-notes/build.ts'),
    '--outdir',
    join(root, 'dist'),
    '--no-types',
  ])
  mkdirSync(join(root, 'src/cli'), { recursive: true })
  cpSync(join(ROOT, 'src/cli/pkg'), join(root, 'src/cli/pkg'))
  cpSync(join(ROOT, 'package.json'), join(root, 'package.json'))
  // The launcher takes its Node from there, and the bundle its native packages.
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'))
}

/** `pkg`: a file to execute. */
export function launcher(work: Work): string {
  return join(work.directory, 'product/src/cli/pkg')
}

/** A file of the bundle. */
export function bundled(work: Work, file: string): string {
  return join(work.directory, 'product/dist', file)
}
