// Reading ELF files: the header, and where the segments are. Bounded, whatever the file says.
// https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html, elf(5)

/** ELF header plus the program headers of any program there is; a later one is not looked at. */
const HEADER_BYTES = 8192
/** The least bytes of a header that all fields are in, and of a program header (32 and 64 bit). */
const LEAST_HEADER = 64
const LEAST_ENTRY = { narrow: 32, wide: 56 }

/** Gives up to `length` bytes from `offset` on; fewer at the end of the file. */
export type ReadBytes = (offset: number, length: number) => Buffer

export type Segment = { type: number; offset: number; address: number; size: number }

export type ElfFile = {
  wide: boolean
  little: boolean
  /** e_machine */
  machine: number
  segments: Segment[]
}

/** Undefined for what is no ELF file. Throws what `read` does. */
export function readElf(read: ReadBytes): ElfFile | undefined {
  const header = read(0, HEADER_BYTES)
  if (header.length < LEAST_HEADER || header.readUInt32BE(0) !== 0x7f454c46) return undefined
  const wide = header[4] === 2
  const little = header[5] === 1
  const { u16, u32, word } = numbersOf(header, { wide, little })
  const table = word(wide ? 32 : 28)
  const entrySize = u16(wide ? 54 : 42)
  const segments: Segment[] = []
  for (let index = 0; index < u16(wide ? 56 : 44); index += 1) {
    const entry = table + index * entrySize
    if (entrySize < (wide ? LEAST_ENTRY.wide : LEAST_ENTRY.narrow) || entry + entrySize > header.length) break
    segments.push({
      type: u32(entry),
      offset: word(entry + (wide ? 8 : 4)),
      address: word(entry + (wide ? 16 : 8)),
      size: word(entry + (wide ? 32 : 16)),
    })
  }
  return { wide, little, machine: u16(18), segments }
}

/** Numbers of a file's own size and order. */
export function numbersOf(bytes: Buffer, { wide, little }: Pick<ElfFile, 'wide' | 'little'>) {
  const u16 = (at: number) => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at))
  const u32 = (at: number) => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at))
  const word = (at: number) =>
    wide ? Number(little ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at)) : u32(at)
  return { u16, u32, word }
}

/** The text at `offset`, up to its NUL and at most `length` bytes; undefined where no file reaches that far. */
export function textAt(read: ReadBytes, offset: number, length: number): string | undefined {
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length)) return undefined
  return read(offset, length).toString('latin1').replace(/\0.*$/s, '')
}
