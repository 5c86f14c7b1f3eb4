// What keeps a package's programs from working on another machine, as far as its files
// tell: programs that PATH does not find, that cannot be executed, that name an
// interpreter or libraries which are neither inside nor on every machine. Nothing is run.

import { posix } from 'node:path'
import { PkgError } from '../errors.ts'
import type { BlockGetter } from '../store/blocks/blocks.ts'
import type { CID } from '../store/cid.ts'
import { FileReader } from '../store/unixfs/read.ts'
import type { Resolved } from '../store/unixfs/resolve.ts'
import type { ReadBytes } from './elf-file.ts'
import { elfNeeds } from './elf-needs.ts'
import { MANIFEST_PATH, type Manifest } from './manifest.ts'
import { PROGRAMS_DIRECTORY } from './programs.ts'
import { isExecutable } from './runnable.ts'
import { namesAt, placeAt, sharedLibraries } from './tree-paths.ts'
import { withRevision } from './version.ts'

export type Fault = {
  /** below the package's root */
  path: string
  /** in words that follow the path */
  why: string
  /** the way out */
  hint: string
}

/** Where trees that were made for another root have their programs. */
const ELSEWHERE = ['usr/bin', 'usr/local/bin', 'usr/sbin', 'usr/games', 'sbin']

/** glibc's own libraries, and those of the compiler, which every GNU system has (LSB Core and C++); musl's one. */
const EVERYWHERE =
  /^(?:ld-linux.*|ld64|libc|libm|libpthread|libdl|librt|libutil|libresolv|libanl|libgcc_s|libstdc\+\+|ld-musl-.*|libc\.musl-.*)\.so(?:\.\d+)?$/
/** Loaders of glibc and musl, at the paths that their makers fixed. */
const LOADERS = /^\/lib(?:64|32|x32)?\/(?:ld-linux[^/]*|ld64|ld-musl-[^/]*)\.so(?:\.\d+)?$/
const SHELLS = /^(?:\/usr)?\/bin\/(?:sh|bash|env)$/
const SHELL_NAMES = ['sh', 'bash']

/** The longest first line of a script that the kernel reads (BINPRM_BUF_SIZE, binfmts.h). */
const SHEBANG_BYTES = 256

/**
 * All that was found, programs in the order of their names; empty when all seems well.
 * Throws what reading blocks throws.
 */
export function findFaults(
  blocks: BlockGetter,
  root: CID,
  manifest: Pick<Manifest, 'name' | 'version'>,
): Fault[] {
  const look = new Look(blocks, root)
  const inBin = namesAt(blocks, root, PROGRAMS_DIRECTORY)
  const programs = inBin.flatMap((name) => look.program(posix.join(PROGRAMS_DIRECTORY, name)))
  const elsewhere = look.hasPrograms(PROGRAMS_DIRECTORY) ? [] : look.elsewhere()
  return [...versionFaults(manifest), ...elsewhere, ...programs]
}

/** A version that semver orders otherwise than its maker means. */
export function versionFaults({ name, version }: Pick<Manifest, 'name' | 'version'>): Fault[] {
  const meant = withRevision(version)
  if (meant === undefined) return []
  const release = meant.slice(0, meant.indexOf('+'))
  return [
    {
      path: MANIFEST_PATH,
      why: `has version ${version}, a prerelease, which counts as older than ${release}: nobody is upgraded to it`,
      hint: `A revision of ${release} is written ${meant}: ${name}@${meant}`,
    },
  ]
}

export type FaultOptions = {
  /** Told of each. */
  onFault?: ((fault: Fault) => void) | undefined
  /** those that its directory showed */
  found?: readonly Fault[] | undefined
  /** refuse a package with any */
  strict?: boolean | undefined
}

/** Looks for faults where a package is made. Throws FAULTY naming the first with `strict`. */
export function tellFaults(
  blocks: BlockGetter,
  root: CID,
  manifest: Pick<Manifest, 'name' | 'version'>,
  { onFault, strict, found = [] }: FaultOptions,
): void {
  if (onFault === undefined && !strict) return
  const faults = [...found, ...findFaults(blocks, root, manifest)]
  for (const fault of faults) onFault?.(fault)
  const [first] = faults
  if (!strict || first === undefined) return
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : ''
  throw new PkgError('FAULTY', `${manifest.name}@${manifest.version}: ${first.path} ${first.why}${more}`, {
    hint: `Nothing was packed. ${first.hint}`,
  })
}

class Look {
  readonly #blocks: BlockGetter
  readonly #root: CID
  #libraries: Map<string, string> | undefined | 'unread' = 'unread'

  constructor(blocks: BlockGetter, root: CID) {
    this.#blocks = blocks
    this.#root = root
  }

  hasPrograms(directory: string): boolean {
    return namesAt(this.#blocks, this.#root, directory).some((name) => {
      const place = this.#at(posix.join(directory, name))
      return place !== undefined && isExecutable(place.node)
    })
  }

  /** Programs that PATH does not find. */
  elsewhere(): Fault[] {
    const tops = namesAt(this.#blocks, this.#root, '').filter((name) => !name.startsWith('.'))
    const inside = tops.flatMap((name) => [`${name}/bin`, `${name}/usr/bin`])
    const directories = [...new Set([...ELSEWHERE, ...inside])].filter((path) => this.hasPrograms(path))
    const alone = tops.filter((name) => {
      const place = this.#at(name)
      return place !== undefined && isExecutable(place.node)
    })
    return [
      ...directories.map((path) => ({
        path,
        why: 'has programs, and bin/ has none: PATH finds only what is in bin/',
        hint: path.endsWith('/bin')
          ? `Pack the directory ${posix.dirname(path)}/ in place of the one around it.`
          : `Move them to bin/, or have it lead there: ln -s ${path} bin`,
      })),
      ...alone.map((path) => ({
        path,
        why: 'is a program, and not in bin/, where PATH finds it',
        hint: `Move it to bin/${path}.`,
      })),
    ]
  }

  /** What is wrong with one entry of bin/. */
  program(path: string): Fault[] {
    const place = this.#at(path)
    if (place === undefined) {
      return [
        {
          path,
          why: 'is a link to nothing inside the package',
          hint: 'Put what it leads to into the package, and make the link relative.',
        },
      ]
    }
    if (place.node.type !== 'file') return []
    const read = this.#reader(place)
    if (!isExecutable(place.node)) {
      return [
        { path, why: 'is not executable', hint: `chmod +x ${path}, or keep it elsewhere than in bin/.` },
      ]
    }
    const beginning = read(0, SHEBANG_BYTES).toString('latin1')
    if (beginning.startsWith('\x7fELF')) return this.#elf(path, place, read)
    if (beginning.startsWith('#!')) return this.#script(path, beginning.slice(2).split('\n')[0] ?? '')
    return [
      {
        path,
        why: 'begins like neither a script (#!) nor an ELF program: the kernel cannot run it',
        hint: 'Give it a first line that names its interpreter, as in #!/bin/sh',
      },
    ]
  }

  #script(path: string, line: string): Fault[] {
    const [interpreter = '', ...words] = line.trim().split(/\s+/)
    if (!SHELLS.test(interpreter)) {
      return [
        {
          path,
          why: `needs ${interpreter || 'an interpreter'}, which is not inside`,
          hint: 'Pack it as a dependency (--dependency name=CID), and start it from a launcher in #!/bin/sh.',
        },
      ]
    }
    if (!interpreter.endsWith('/env')) return []
    const name = words.find((word) => !word.startsWith('-') && !word.includes('='))
    if (name === undefined || SHELL_NAMES.includes(name) || this.#brings(name)) return []
    return [
      {
        path,
        why: `needs ${name} in PATH, which neither the package nor a dependency of it brings`,
        hint: 'Pack it as a dependency (--dependency name=CID), and start it from a launcher in #!/bin/sh.',
      },
    ]
  }

  #elf(path: string, place: Resolved, read: ReadBytes): Fault[] {
    const faults: Fault[] = []
    const needs = elfNeeds(read)
    const loader = needs?.interpreter
    if (loader !== undefined && !LOADERS.test(loader)) {
      faults.push({
        path,
        why: `needs the loader ${loader}, which is not inside`,
        hint: `Set the system's: patchelf --set-interpreter; or start it by a loader of the package's own, from a launcher.`,
      })
    }
    const { absent, unfound } = this.#missing(place, read)
    if (absent.length > 0) {
      faults.push({
        path,
        why: `needs libraries that are not inside: ${absent.join(', ')}`,
        hint: 'Put them into lib/, with a launcher in bin/ that sets LD_LIBRARY_PATH, or link it statically.',
      })
    }
    if (unfound.length > 0) {
      faults.push({
        path,
        why: `does not look where its libraries are: ${unfound.join(', ')}`,
        hint: "Move it out of bin/ behind a launcher that sets LD_LIBRARY_PATH, or patchelf --set-rpath '$ORIGIN/../lib'.",
      })
    }
    return faults
  }

  /** Libraries of a program, and of those that are inside: what is nowhere, and what the program itself does not find. */
  #missing(program: Resolved, readProgram: ReadBytes): { absent: string[]; unfound: string[] } {
    const absent = new Set<string>()
    const unfound: string[] = []
    const seen = new Set<string>()
    const waiting: { place: Resolved; read: ReadBytes }[] = [{ place: program, read: readProgram }]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { libraries = [], searchPath = [] } = elfNeeds(next.read) ?? {}
      for (const name of libraries) {
        if (EVERYWHERE.test(name) || seen.has(name)) continue
        seen.add(name)
        const found = this.#search(next.place, searchPath, name)
        const inside = found ?? this.#inside(name)
        if (inside === 'unknown') continue
        if (inside === undefined) absent.add(name)
        else {
          if (found === undefined && next.place === program) unfound.push(name)
          waiting.push({ place: inside, read: this.#reader(inside) })
        }
      }
    }
    return { absent: [...absent].sort(), unfound: unfound.sort() }
  }

  #search({ path }: Resolved, searchPath: readonly string[], name: string): Resolved | undefined {
    const origin = posix.dirname(path)
    for (const directory of searchPath) {
      if (!/^\$(?:ORIGIN|\{ORIGIN\})/.test(directory)) continue
      const place = this.#at(`${directory.replace(/^\$(?:ORIGIN|\{ORIGIN\})/, origin)}/${name}`)
      if (place?.node.type === 'file') return place
    }
    return undefined
  }

  #inside(name: string): Resolved | 'unknown' | undefined {
    if (this.#libraries === 'unread') this.#libraries = sharedLibraries(this.#blocks, this.#root)
    if (this.#libraries === undefined) return 'unknown'
    const path = this.#libraries.get(name)
    const place = path === undefined ? undefined : this.#at(path)
    return place?.node.type === 'file' ? place : undefined
  }

  /** True for a program in bin/ of the package, or of one that it depends on. */
  #brings(name: string): boolean {
    const dependencies = namesAt(this.#blocks, this.#root, '.pkg/dependencies')
    const places = [`bin/${name}`, ...dependencies.map((one) => `.pkg/dependencies/${one}/bin/${name}`)]
    return places.some((path) => this.#at(path)?.node.type === 'file')
  }

  #at(path: string): Resolved | undefined {
    return placeAt(this.#blocks, this.#root, path)
  }

  #reader({ cid }: Resolved): ReadBytes {
    const file = new FileReader(this.#blocks, cid)
    return (offset, length) => {
      const buffer = Buffer.alloc(length)
      return buffer.subarray(0, file.readInto(buffer, offset))
    }
  }
}
