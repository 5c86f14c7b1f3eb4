// The product as it is shipped, built from the sources as they are now into a
// directory of its own: a bundle starts four times as fast as the sources, and a
// long run sees one version from its beginning to its end.

import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type Owner, temporaryDirectory } from '../helpers/temp.ts'

const ROOT = join(import.meta.dirname, '..', '..')

export type Product = {
  /** `pkg`: a file to execute */
  launcher: string
  /** the library: a module to import */
  library: string
  /** the folder of the bundle */
  dist: string
}

export async function buildProduct(t: Owner): Promise<Product> {
  const root = await temporaryDirectory(t)
  const dist = join(root, 'dist')
  const build = join(ROOT, 'native-notes', 'build.ts')
  execFileSync(process.execPath, [build, '--outdir', dist, '--no-types'], { stdio: 'pipe' })
  mkdirSync(join(root, 'src', 'cli'), { recursive: true })
  cpSync(join(ROOT, 'src', 'cli', 'pkg'), join(root, 'src', 'cli', 'pkg'))
  cpSync(join(ROOT, 'package.json'), join(root, 'package.json'))
  // The launcher takes its Node from there, and the bundle its native packages.
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'))
  return { launcher: join(root, 'src', 'cli', 'pkg'), library: join(dist, 'index.js'), dist }
}
