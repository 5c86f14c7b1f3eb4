// What a program's ELF header says of the machine it is made for. Reads the headers only: some hundred bytes.
// https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html, elf(5)

import { closeSync, openSync, readSync } from 'node:fs'

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
/** ELF header plus the program headers of any program there is; a later one is not looked at. */
const HEADER_BYTES = 8192
/** PATH_MAX (limits.h): no loader has a longer path. */
const MAX_INTERPRETER = 4096

/** Gives up to `length` bytes from `offset` on; fewer at the end of the file. */
export type ReadBytes = (offset: number, length: number) => Buffer

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
  const header = read(0, HEADER_BYTES)
  if (header.length < 64 || header.readUInt32BE(0) !== 0x7f454c46) return undefined
  const wide = header[4] === 2
  const little = header[5] === 1
  const interpreter = findInterpreter(header, wide, little, read)
  const machine = little ? header.readUInt16LE(18) : header.readUInt16BE(18)
  return {
    arch: MACHINES[`${machine}-${wide ? 64 : 32}-${little ? 'le' : 'be'}`],
    libc: libcOf(interpreter),
  }
}

function findInterpreter(
  header: Buffer,
  wide: boolean,
  little: boolean,
  read: ReadBytes,
): string | undefined {
  const u16 = (at: number) => (little ? header.readUInt16LE(at) : header.readUInt16BE(at))
  const u32 = (at: number) => (little ? header.readUInt32LE(at) : header.readUInt32BE(at))
  const word = (at: number) =>
    wide ? Number(little ? header.readBigUInt64LE(at) : header.readBigUInt64BE(at)) : u32(at)
  const table = word(wide ? 32 : 28)
  const entrySize = u16(wide ? 54 : 42)
  const count = u16(wide ? 56 : 44)
  for (let index = 0; index < count; index += 1) {
    const entry = table + index * entrySize
    if (entrySize < (wide ? 56 : 32) || entry + entrySize > header.length) return undefined
    if (u32(entry) !== PT_INTERP) continue
    const size = word(entry + (wide ? 32 : 16))
    const offset = word(entry + (wide ? 8 : 4))
    // No file reaches that far: the header lies.
    if (!Number.isSafeInteger(offset)) return undefined
    const bytes = read(offset, Math.min(size, MAX_INTERPRETER))
    return bytes.toString('latin1').replace(/\0.*$/s, '')
  }
  return undefined
}

function libcOf(interpreter: string | undefined): 'glibc' | 'musl' | undefined {
  if (interpreter === undefined) return undefined
  return /\/ld-musl-[^/]*$/.test(interpreter) ? 'musl' : 'glibc'
}
