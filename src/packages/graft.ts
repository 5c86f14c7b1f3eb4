// Changing a DAG that somebody else made, with everything that is not on the way
// shared: each change rewrites the directories from its place up to the root, and
// nothing else. The only module that loads @helia/unixfs.
//
// @helia/unixfs is told what it would get wrong by itself: the rule by which our
// import format turns a directory into a HAMT, the fan-out of a foreign HAMT, and
// the time of a directory that has one (it would set the clock's, and the same
// input would be another CID at every call).

import { type UnixFS, unixfs } from '@helia/unixfs'
import { PkgError } from '../errors.ts'
import type { AddSession } from '../store/add/add.ts'
import type { BlockGetter } from '../store/blocks/blocks.ts'
import { VerifiedBlockstore } from '../store/blocks/blockstore.ts'
import { type CID, RAW } from '../store/cid.ts'
import { fileData } from '../store/import/encode.ts'
import { EXECUTABLE_MODE } from '../store/import/format.ts'
import { makeNode, packCid, unpackCid } from '../store/import/nodes.ts'
import { list, lookup } from '../store/unixfs/directory.ts'
import { decodeNode, type UnixfsNode } from '../store/unixfs/node.ts'
import { storedSeconds } from '../store/unixfs/times.ts'

/** Bits that say a file can be run, by anybody (sys/stat.h). */
const EXECUTABLE_BITS = 0o111

export class Graft {
  readonly #add: AddSession
  readonly #getter: BlockGetter
  readonly #fs: UnixFS

  /** What it writes is protected by the session; nothing of it is committed. */
  constructor(add: AddSession) {
    this.#add = add
    this.#getter = add.store.blocks
    this.#fs = unixfs({ blockstore: new VerifiedBlockstore(add.store, add.writer) })
  }

  /** A file of these bytes. */
  file(bytes: Uint8Array): Promise<CID> {
    return this.#fs.addBytes(bytes)
  }

  async symlink(target: string): Promise<CID> {
    for await (const { cid } of this.#fs.addAll([{ path: 'link', link: target }])) return cid
    throw new PkgError('INTERNAL', 'a symlink was not written')
  }

  emptyDirectory(): Promise<CID> {
    return this.#fs.addDirectory()
  }

  /**
   * The same file, executable; itself when it is already. Its leaves are shared: a
   * file that is one raw block becomes a node that links to that block.
   */
  async executable(cid: CID): Promise<CID> {
    const node = this.#node(cid)
    if (node.type !== 'file')
      throw new PkgError('NOT_FILE', `${cid} is a ${node.type}: it cannot be a program`)
    const mode = node.mode ?? 0
    if ((mode & EXECUTABLE_BITS) !== 0) return cid
    if (cid.code !== RAW) return this.#fs.chmod(cid, mode | EXECUTABLE_MODE)
    const leaf = { name: '', cid: packCid(cid), size: node.size }
    const making = makeNode([leaf], fileData(undefined, [node.size], true))
    let step = making.next()
    for (; !step.done; step = making.next()) await this.#add.put([step.value])
    return unpackCid(step.value.cid)
  }

  /**
   * The root after `child` was put at `path` (its components), directories made
   * where there are none. Throws NOT_DIRECTORY where a file is in the way.
   */
  async set(root: CID, path: readonly string[], child: CID): Promise<CID> {
    const [name, ...rest] = path
    if (name === undefined) return child
    const node = this.#node(root)
    const below = rest.length === 0 ? child : await this.set(await this.#directory(node, name), rest, child)
    const changed = await this.#fs.cp(below, root, name, {
      force: true,
      shardSplitStrategy: 'block-bytes',
      ...(node.type === 'hamt' ? { shardFanoutBits: Math.log2(node.fanout) } : {}),
    })
    const result = await this.#withTimeOf(node, changed)
    this.#checkKept(node, result, name)
    return result
  }

  async #directory(parent: UnixfsNode, name: string): Promise<CID> {
    return lookup(this.#getter, parent, name) ?? (await this.emptyDirectory())
  }

  async #withTimeOf(before: UnixfsNode, changed: CID): Promise<CID> {
    if (before.mtime === undefined) return changed
    const mtime = { secs: storedSeconds(before.mtime), nsecs: before.mtime.nanoseconds }
    return this.#fs.touch(changed, { mtime })
  }

  /**
   * @ipld/dag-pb drops a leading U+FEFF of a name and replaces what is not UTF-8:
   * writing such a directory anew would rename its entries. Then we rather refuse.
   */
  #checkKept(before: UnixfsNode, after: CID, changed: string): void {
    const now = new Map<string, CID>()
    for (const { name, cid } of list(this.#getter, after)) now.set(name, cid)
    for (const { name, cid } of list(this.#getter, before)) {
      if (name === changed || now.get(name)?.equals(cid)) continue
      throw new PkgError(
        'UNSUPPORTED',
        `${before.cid} cannot be changed without renaming ${JSON.stringify(name)} in it`,
      )
    }
  }

  #node(cid: CID): UnixfsNode {
    return decodeNode(cid, this.#getter.get(cid))
  }
}
