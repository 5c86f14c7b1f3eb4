// What the load of the stress tests is made of: directories whose contents follow
// from their names, so that everybody can tell what has to be in them. They share
// many files: what one process gives up another one finds present.

import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Files that many trees have, and so many of them each tree. */
const POOL = 60
const FROM_POOL = 14

/** Bytes that follow from a name. */
export function bytesOf(name: string, length: number): Buffer {
  const digest = createHash('sha256').update(name).digest()
  const bytes = Buffer.alloc(length)
  for (let at = 0; at < length; at += digest.length) digest.copy(bytes, at)
  // A large file shall not consist of one block that repeats.
  for (let at = 0; at + 4 < length; at += 4096) bytes.writeUInt32LE(at, at)
  return bytes
}

/** Path below the tree → contents. Every sixth one has a file of two blocks. */
export function treeFiles(index: number): Map<string, Buffer> {
  const files = new Map<string, Buffer>()
  for (let n = 0; n < FROM_POOL; n++) {
    const pooled = (index * 7 + n * n * 3) % POOL
    files.set(`lib/${n % 3}/f${n}`, bytesOf(`pool ${pooled}`, 100 + pooled * 40))
  }
  files.set('own', bytesOf(`own ${index}`, 500 + index))
  files.set('deep/er/own', bytesOf(`deep ${index}`, 300))
  if (index % 6 === 0) files.set('large', bytesOf(`large ${index}`, 1_300_000))
  return files
}

export function writeTree(directory: string, files: ReadonlyMap<string, Buffer>): string {
  for (const [name, bytes] of files) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), bytes)
  }
  return directory
}

/** A directory that can be packed: a program that says its name and version, and data that versions share. */
export function writeProgram(directory: string, name: string, version: string): string {
  const files = new Map<string, Buffer>()
  for (let n = 0; n < 10; n++) {
    const text = n < 6 ? `pool ${n * 5}` : `${name} ${version} ${n}`
    files.set(`share/${name}/data${n}`, bytesOf(text, n < 6 ? 100 + n * 5 * 40 : 400))
  }
  writeTree(directory, files)
  mkdirSync(join(directory, 'bin'), { recursive: true })
  writeFileSync(join(directory, 'bin', name), `#!/bin/sh\necho ${name} ${version}\n`, { mode: 0o755 })
  return directory
}
