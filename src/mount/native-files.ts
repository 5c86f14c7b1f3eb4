// Where fuse-native's own files are: the binding and the libfuse it ships.
// Finding them loads nothing.

import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The soname that the binding asks the loader for (readelf -d node.napi.node). */
export const SONAME = 'libfuse.so.2'

/**
 * The folder of the fuse-native package: the copy in the bundle, else the
 * installed one; undefined when there is neither.
 */
export function packageDirectory(): string | undefined {
  const bundled = fileURLToPath(new URL('fuse-native', import.meta.url))
  if (existsSync(bundled)) return bundled
  try {
    return dirname(createRequire(import.meta.url).resolve('fuse-native/package.json'))
  } catch {
    return undefined
  }
}

/**
 * The binding: the one that the package ships for this machine, else the one
 * that npm compiled; undefined when there is neither. The shipped one comes
 * first although `node-gyp-build` would take the other: it is the one whose
 * layout is known (fuse-stat.ts), and it fits the shipped libfuse.
 */
export function bindingFile(): string | undefined {
  return first([
    join('prebuilds', `${process.platform}-${process.arch}`, 'node.napi.node'),
    'build/Release/fuse.node',
  ])
}

/** The libfuse that the package ships for this machine, or compiled along; undefined when there is none. */
export function libraryFile(): string | undefined {
  return first([
    join('prebuilds', `${process.platform}-${process.arch}`, 'libfuse.so'),
    'build/Release/libfuse.so',
  ])
}

function first(candidates: string[]): string | undefined {
  const root = packageDirectory()
  return candidates
    .map((file) => join(root ?? '', file))
    .find((file) => root !== undefined && existsSync(file))
}
