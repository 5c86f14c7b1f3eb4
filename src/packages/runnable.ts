// Whether a file of a DAG can be a program. Most tools that make DAGs store no modes,
// so a missing execute bit says little: then the first bytes decide, as they do for
// the kernel (execve(2)).

import { PkgError } from '../errors.ts'
import type { BlockGetter } from '../store/blocks/blocks.ts'
import type { UnixfsNode } from '../store/unixfs/node.ts'
import { FileReader } from '../store/unixfs/read.ts'

/** Bits that say a file can be run, by anybody (sys/stat.h). */
const EXECUTABLE_BITS = 0o111

/** What the kernel runs begins with one of these: binfmt_elf and binfmt_script. */
const BEGINNINGS: readonly string[] = ['\x7fELF', '#!']

export function isExecutable(node: UnixfsNode): boolean {
  return node.type === 'file' && ((node.mode ?? 0) & EXECUTABLE_BITS) !== 0
}

/** Throws NOT_FILE naming `path` unless the node is a file that is executable, or may be made so. */
export function requireRunnable(blocks: BlockGetter, node: UnixfsNode, path: string): void {
  if (isExecutable(node) || (node.type === 'file' && beginsLikeProgram(blocks, node))) return
  throw new PkgError('NOT_FILE', `${path} is not an executable file`, {
    hint:
      node.type === 'file'
        ? 'It has no execute bit, and begins like neither a script (#!) nor an ELF program.'
        : `It is a ${node.type === 'hamt' ? 'directory' : node.type}. Name the programs in it.`,
  })
}

function beginsLikeProgram(blocks: BlockGetter, node: UnixfsNode & { type: 'file' }): boolean {
  const buffer = Buffer.alloc(4)
  const read = new FileReader(blocks, node).readInto(buffer, 0)
  const beginning = buffer.toString('latin1', 0, read)
  return BEGINNINGS.some((one) => beginning.startsWith(one))
}
