// The least ELF file that has a machine and a loader (elf(5), 64-bit little-endian).

/** `machine` is e_machine of elf.h; without `interpreter` it is a static program. */
export function elfFile(machine: number, interpreter?: string): Buffer {
  const file = Buffer.alloc(256)
  file.write('\x7fELF\x02\x01\x01', 'latin1')
  file.writeUInt16LE(2, 16)
  file.writeUInt16LE(machine, 18)
  if (interpreter === undefined) return file
  file.writeBigUInt64LE(64n, 32)
  file.writeUInt16LE(56, 54)
  file.writeUInt16LE(1, 56)
  const text = `${interpreter}\0`
  file.writeUInt32LE(3, 64)
  file.writeBigUInt64LE(128n, 64 + 8)
  file.writeBigUInt64LE(BigInt(text.length), 64 + 32)
  file.write(text, 128, 'latin1')
  return file
}
