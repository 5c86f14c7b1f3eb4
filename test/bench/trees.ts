// The trees that are imported and read. All contents are random: nothing compresses.

import { randomFillSync } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Work } from './work.ts'

const MIB = 1024 * 1024

const MAKERS = {
  /** one file of 512 MiB, `file` */
  large: (tree: string) => {
    const chunk = Buffer.allocUnsafe(MIB)
    const fd = openSync(join(tree, 'file'), 'w')
    for (let index = 0; index < 512; index++) writeSync(fd, randomFillSync(chunk))
    closeSync(fd)
  },
  /** 20,000 files of 4 KiB in 200 directories */
  small: (tree: string) => smallFiles(tree, 200),
  /** 5,000 of them in 50 */
  few: (tree: string) => smallFiles(tree, 50),
  /** one directory of 100,000 files */
  wide: (tree: string) => {
    for (let index = 0; index < 100_000; index++)
      writeFileSync(join(tree, `entry-${index}`), String(index % 100))
  },
  /** a sparse file of 8 GiB */
  long: (tree: string) => {
    writeFileSync(join(tree, 'file'), '')
    truncateSync(join(tree, 'file'), 8 * 1024 * MIB)
  },
}

export type TreeName = keyof typeof MAKERS

/** The tree of this name; made when it is not there yet. */
export function tree(work: Work, name: TreeName): string {
  const path = join(work.directory, name)
  if (existsSync(path)) return path
  mkdirSync(path)
  MAKERS[name](path)
  return path
}

function smallFiles(tree: string, directories: number): void {
  for (let index = 0; index < directories; index++) {
    const directory = join(tree, `d${index}`)
    mkdirSync(directory)
    for (let file = 0; file < 100; file++) {
      writeFileSync(join(directory, `f${file}`), randomFillSync(Buffer.allocUnsafe(4096)))
    }
  }
}
