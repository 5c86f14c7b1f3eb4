// What one import works with, and the making of things from memory: file
// contents, symlinks, described trees.

import type { AddSession } from '../add/add.ts'
import { makeDirectory } from './directory.ts'
import type { Link } from './encode.ts'
import { type EntryDirectory, type EntryNode, isEntryDirectory } from './entries.ts'
import { makeFileTree } from './file-tree.ts'
import { CHUNK_BYTES } from './format.ts'
import { IndexRows } from './index-rows.ts'
import { type Made, makeLeaf, makeSmallFile, makeSymlink, type Part, packCid } from './nodes.ts'
import { Outbox } from './outbox.ts'

export type Builder = { outbox: Outbox; rows: IndexRows }

/** What making things needs of it. */
type Maker = Pick<Builder, 'outbox'>

/** Blocks go to the session's own writer, their links and sizes to the store's index. */
export function openBuilder(add: AddSession): Builder {
  const rows = new IndexRows(add.store)
  return { rows, outbox: new Outbox({ writer: add.writer, onWritten: (blocks) => rows.addBlocks(blocks) }) }
}

/** Writes what is still in memory. */
export async function finishBuilder({ outbox, rows }: Builder): Promise<void> {
  await outbox.flush()
  rows.flush()
}

/** A file from leaves that were read before. */
export function buildFile({ outbox }: Maker, parts: readonly Part[], executable: boolean): Promise<Part> {
  return outbox.run(makeFileTree(parts, executable))
}

export async function buildContent(builder: Maker, content: Uint8Array, executable: boolean): Promise<Part> {
  const { outbox } = builder
  if (content.length <= CHUNK_BYTES) return outbox.run(makeSmallFile(content, executable))
  const parts: Part[] = []
  for (let at = 0; at < content.length; at += CHUNK_BYTES) {
    parts.push(await outbox.run(makeLeaf(content.subarray(at, at + CHUNK_BYTES))))
  }
  return buildFile(builder, parts, executable)
}

/** A described thing, with all below it. */
export async function buildEntry(builder: Maker, node: EntryNode): Promise<Made> {
  if (isEntryDirectory(node)) return buildEntries(builder, node)
  if ('link' in node) return builder.outbox.run(makeSymlink(node.link))
  if ('cid' in node) return { cid: packCid(node.cid), size: node.size }
  return buildContent(builder, node.content, node.executable ?? false)
}

export async function buildEntries(builder: Maker, directory: EntryDirectory): Promise<Made> {
  const links: Link[] = []
  for (const [name, node] of directory.children) {
    const { cid, size } = await buildEntry(builder, node)
    links.push({ name, cid, size })
  }
  return builder.outbox.run(makeDirectory(links))
}
