// What an ELF file needs to be started: its loader, the libraries it names, and where it
// has them looked for (ld.so(8)).

import { interpreterOf } from './elf.ts'
import { numbersOf, type ReadBytes, readElf, textAt } from './elf-file.ts'

const PT_LOAD = 1
const PT_DYNAMIC = 2
const DT_NEEDED = 1
const DT_STRTAB = 5
const DT_RPATH = 15
const DT_RUNPATH = 29
/** Bytes of a dynamic section that are looked at: hundreds of times what a large program's takes. */
const MAX_DYNAMIC = 256 * 1024
/** Libraries' names and search paths are short; a text that is longer is cut. */
const MAX_TEXT = 4096

export type ElfNeeds = {
  interpreter: string | undefined
  libraries: string[]
  /** directories as the file has them, with $ORIGIN */
  searchPath: string[]
}

/** Undefined for what is no ELF file. Throws what `read` does. */
export function elfNeeds(read: ReadBytes): ElfNeeds | undefined {
  const file = readElf(read)
  if (file === undefined) return undefined
  const needs: ElfNeeds = { interpreter: interpreterOf(file, read), libraries: [], searchPath: [] }
  const dynamic = file.segments.find(({ type }) => type === PT_DYNAMIC)
  if (dynamic === undefined || !Number.isSafeInteger(dynamic.offset)) return needs
  const bytes = read(dynamic.offset, Math.min(dynamic.size, MAX_DYNAMIC))
  const { word } = numbersOf(bytes, file)
  const step = file.wide ? 8 : 4
  const tags: [tag: number, value: number][] = []
  for (let at = 0; at + 2 * step <= bytes.length; at += 2 * step) {
    const tag = word(at)
    if (tag === 0) break
    tags.push([tag, word(at + step)])
  }
  const table = tags.find(([tag]) => tag === DT_STRTAB)?.[1]
  const segment = file.segments.find(({ type, address, size }) => {
    return type === PT_LOAD && table !== undefined && table >= address && table < address + size
  })
  if (table === undefined || segment === undefined) return needs
  const start = table - segment.address + segment.offset
  const texts = (wanted: number) =>
    tags.filter(([tag]) => tag === wanted).map(([, at]) => textAt(read, start + at, MAX_TEXT) ?? '')
  needs.libraries = texts(DT_NEEDED)
  // DT_RUNPATH, where there is one, is used in place of DT_RPATH.
  const runpath = texts(DT_RUNPATH)
  const paths = runpath.length > 0 ? runpath : texts(DT_RPATH)
  needs.searchPath = paths.flatMap((path) => path.split(':')).filter((path) => path !== '')
  return needs
}
