// What a program's ELF header says of the machine it is made for. Reads the headers only: some hundred bytes.
// https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html, elf(5)

import { closeSync, openSync, readSync } from 'node:fs'
import { type ElfFile, type ReadBytes, readElf, textAt } from './elf-file.ts'

export interface ElfTarget {
  /** as process.arch names it; undefined for a machine that Node has no name for */
  readonly arch: string | undefined
  /** the C library that its loader belongs to; undefined for a static program */
  readonly libc: 'glibc' | 'musl' | undefined
}

/** e_machine (elf.h) by [64-bit, little-endian], as process.arch names it. */
const MACHINES: Readonly<Record<string, string>> = {
  '62-64-le': 'x64',
  '183-64-le': 'arm64',
  '3-32-le': 'ia32',
  '40-32-le': 'arm',
  '243-64-le': 'riscv64',
  '258-64-le': 'loong64',
  '21-64-le': 'ppc64',
  '22-64-be': 's390x',
}

const PT_INTERP = 3
/** PATH_MAX (limits.h): no loader has a longer path. */
const MAX_INTERPRETER = 4096

/** The target of the ELF file at `path`; undefined when it is not ELF. Throws what open(2) and read(2) do. */
export function readElfTarget(path: string): ElfTarget | undefined {
  const fd = openSync(path, 'r')
  try {
    return elfTarget((offset, length) => {
      const buffer = Buffer.alloc(length)
      return buffer.subarray(0, readSync(fd, buffer, 0, length, offset))
    })
  } finally {
    closeSync(fd)
  }
}

/** The same for a file that lies elsewhere, in the store for one. Throws what `read` does. */
export function elfTarget(read: ReadBytes): ElfTarget | undefined {
  const file = readElf(read)
  if (file === undefined) return undefined
  const { machine, wide, little } = file
  return {
    arch: MACHINES[`${machine}-${wide ? 64 : 32}-${little ? 'le' : 'be'}`],
    libc: libcOf(interpreterOf(file, read)),
  }
}

/** The loader that the file names; undefined for a static program and a library. */
export function interpreterOf({ segments }: Pick<ElfFile, 'segments'>, read: ReadBytes): string | undefined {
  const segment = segments.find(({ type }) => type === PT_INTERP)
  return segment && textAt(read, segment.offset, Math.min(segment.size, MAX_INTERPRETER))
}

function libcOf(interpreter: string | undefined): 'glibc' | 'musl' | undefined {
  if (interpreter === undefined) return undefined
  return /\/ld-musl-[^/]*$/.test(interpreter) ? 'musl' : 'glibc'
}
