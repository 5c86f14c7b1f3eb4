// A package out of a DAG that somebody else made: a new root with a manifest, and
// its programs in bin/, that shares every leaf and every untouched directory.

import { basename, posix } from 'node:path'
import { hasCode, PkgError } from '../errors.ts'
import { checkName } from '../paths.ts'
import { type AddSession, withAdd } from '../store/add/add.ts'
import type { BlockGetter } from '../store/blocks/blocks.ts'
import type { CID } from '../store/cid.ts'
import type { Store } from '../store/store.ts'
import { list } from '../store/unixfs/directory.ts'
import { decodeNode } from '../store/unixfs/node.ts'
import { FileReader } from '../store/unixfs/read.ts'
import { type Resolved, resolvePath } from '../store/unixfs/resolve.ts'
import { type ElfTarget, elfTarget } from './elf.ts'
import { type FaultOptions, tellFaults } from './faults.ts'
import { Graft } from './graft.ts'
import {
  encodeManifest,
  MANIFEST_FORMAT,
  MANIFEST_PATH,
  type Manifest,
  parseNameVersion,
  validateMade,
} from './manifest.ts'
import { commonPlatforms, PROGRAMS_DIRECTORY } from './programs.ts'
import { isExecutable, requireRunnable } from './runnable.ts'

export type AdoptOptions = FaultOptions & {
  /** `name@version` */
  as: string
  /** Paths of programs in the DAG; each gets a name in bin/. For a DAG that is one file: the program's name. */
  bin?: readonly string[] | undefined
  /** what the manifest says beyond that */
  manifest?:
    | Partial<Pick<Manifest, 'description' | 'licence' | 'homepage' | 'platforms' | 'maintainer'>>
    | undefined
  /** Runs when the package is whole and on stable storage, and still protected: the place to pin it. */
  keep?: ((adopted: AdoptedPackage) => void | Promise<void>) | undefined
}

export type AdoptedPackage = { cid: CID; manifest: Manifest }

/**
 * Makes a package of the DAG at `foreign`, which must be all here. The same DAG and
 * options give the same CID. What it returns is protected from a collector only by
 * what `keep` did.
 * Throws INCOMPLETE; EXISTS when it is a package already or a name in bin/ is taken;
 * NOT_FOUND, NOT_FILE for a path that is no program (see runnable.ts); FAULTY (faults.ts), BAD_MANIFEST, BAD_NAME, USAGE.
 */
export async function adoptPackage(
  store: Store,
  foreign: CID,
  options: AdoptOptions,
): Promise<AdoptedPackage> {
  return withAdd(store, async (add) => {
    await add.rely(foreign)
    const withPrograms = await addPrograms(add, foreign.toV1(), options)
    const manifest = makeManifest(store.blocks, withPrograms, options)
    const graft = new Graft(add)
    const file = await graft.file(encodeManifest(manifest))
    const cid = (await graft.set(withPrograms, MANIFEST_PATH.split('/'), file)).toV1()
    tellFaults(store.blocks, cid, manifest, options)
    await add.commit([cid])
    const adopted = { cid, manifest }
    await options.keep?.(adopted)
    return adopted
  })
}

async function addPrograms(add: AddSession, foreign: CID, { as, bin = [] }: AdoptOptions): Promise<CID> {
  const blocks = add.store.blocks
  const graft = new Graft(add)
  const node = decodeNode(foreign, blocks.get(foreign))
  if (node.type === 'file') {
    requireRunnable(blocks, node, String(foreign))
    return programAlone(graft, foreign, bin, parseNameVersion(as).name)
  }
  if (node.type === 'symlink')
    throw new PkgError('NOT_DIRECTORY', `${foreign} is a symlink: it cannot be a package`)
  refusePackage(blocks, foreign)
  let root = foreign
  for (const path of bin) root = await addProgram(graft, blocks, root, path)
  return root
}

/** A DAG that is one program becomes a directory with that program in bin/. */
async function programAlone(
  graft: Graft,
  file: CID,
  bin: readonly string[],
  packageName: string,
): Promise<CID> {
  if (bin.length > 1) {
    throw new PkgError('USAGE', `${file} is one file, and so one program; ${bin.length} were named`)
  }
  const name = checkName(basename(bin[0] ?? packageName), 'program')
  return graft.set(await graft.emptyDirectory(), [PROGRAMS_DIRECTORY, name], await graft.executable(file))
}

/** The root after the program at `path` is executable and has its name in bin/. */
async function addProgram(graft: Graft, blocks: BlockGetter, root: CID, path: string): Promise<CID> {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  const name = checkName(parts.at(-1) ?? '', 'program')
  const { cid, node } = resolvePath(blocks, root, parts.join('/'))
  if (node.type === 'symlink') requireLinkedProgram(blocks, root, parts.join('/'))
  else requireRunnable(blocks, node, path)
  const withMode = node.type === 'symlink' ? root : await graft.set(root, parts, await graft.executable(cid))
  if (parts.length === 2 && parts[0] === PROGRAMS_DIRECTORY) return withMode
  if (find(blocks, root, programPath(name), { followLinks: false })) {
    throw new PkgError('EXISTS', `${programPath(name)} is in ${root} already, and is not ${path}`, {
      hint: `Name that one instead: --bin ${programPath(name)}`,
    })
  }
  // Relative and inside the package: a program finds what lies beside its real path.
  const link = await graft.symlink(posix.relative(PROGRAMS_DIRECTORY, parts.join('/')))
  return graft.set(withMode, [PROGRAMS_DIRECTORY, name], link)
}

/** A symlink's target cannot be made executable through the link: it must be so already. */
function requireLinkedProgram(blocks: BlockGetter, root: CID, path: string): void {
  if (isExecutable(resolvePath(blocks, root, path, { followLinks: true }).node)) return
  throw new PkgError('NOT_FILE', `${path} is not an executable file: it is a symlink to something else`, {
    hint: 'Name the file that it leads to.',
  })
}

function makeManifest(blocks: BlockGetter, root: CID, { as, manifest = {} }: AdoptOptions): Manifest {
  const programs = programsOf(blocks, root)
  const platforms = commonPlatforms(programs.map((name) => targetOf(blocks, root, name)))
  const made = { format: MANIFEST_FORMAT, ...parseNameVersion(as), platforms, ...manifest, programs }
  return validateMade(made)
}

/** The names in bin/ that can be run, sorted. */
function programsOf(blocks: BlockGetter, root: CID): string[] {
  const bin = find(blocks, root, PROGRAMS_DIRECTORY)
  if (bin?.node.type !== 'directory' && bin?.node.type !== 'hamt') return []
  const names = [...list(blocks, bin.node)].map(({ name }) => name)
  return names.filter((name) => isProgram(blocks, root, name)).sort()
}

function isProgram(blocks: BlockGetter, root: CID, name: string): boolean {
  const found = find(blocks, root, programPath(name))
  return found !== undefined && isExecutable(found.node)
}

function targetOf(blocks: BlockGetter, root: CID, name: string): ElfTarget | undefined {
  const file = new FileReader(blocks, resolvePath(blocks, root, programPath(name), { followLinks: true }).cid)
  return elfTarget((offset, length) => {
    const buffer = Buffer.alloc(length)
    return buffer.subarray(0, file.readInto(buffer, offset))
  })
}

function programPath(name: string): string {
  return `${PROGRAMS_DIRECTORY}/${name}`
}

function refusePackage(blocks: BlockGetter, root: CID): void {
  if (!find(blocks, root, MANIFEST_PATH)) return
  throw new PkgError('EXISTS', `${root} is a package already: it has a ${MANIFEST_PATH}`, {
    hint: `Install it as it is: pkg install ${root}`,
  })
}

/** What a path leads to, undefined when it leads nowhere. */
function find(
  blocks: BlockGetter,
  root: CID,
  path: string,
  { followLinks = true } = {},
): Resolved | undefined {
  try {
    return resolvePath(blocks, root, path, { followLinks })
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND', 'NOT_DIRECTORY', 'NOT_UNIXFS')) return undefined
    throw error
  }
}
