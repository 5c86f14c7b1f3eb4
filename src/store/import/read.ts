// Reading one file, or a span of a large one, into leaves.
// Either all of it is of one state of the file, or CHANGED is thrown.

import { closeSync, fstatSync, readSync } from 'node:fs'
import { CHUNK_BYTES } from './format.ts'
import { makeLeaf, makeSmallFile, type Part } from './nodes.ts'
import type { Outbox } from './outbox.ts'
import { changedError, naming, openSource, signatureOf } from './source.ts'

/** A file, or where `span` is set those bytes of the file that had this signature. */
export type ReadTask = {
  path: string
  span?: { offset: number; length: number; signature: string }
}

/** The leaves, in order; one that is the whole file may be a node. */
export type ReadResult = { parts: Part[]; executable: boolean }

/** Reads a task's bytes through `outbox`, which may still hold blocks of it afterwards. */
export async function readSource({ path, span }: ReadTask, outbox: Outbox): Promise<ReadResult> {
  const fd = openSource(path)
  try {
    const before = fstatSync(fd)
    const signature = signatureOf(before)
    if (!before.isFile() || (span && span.signature !== signature)) throw changedError(path)
    const executable = (before.mode & 0o111) !== 0
    const whole = before.size <= CHUNK_BYTES
    const parts: Part[] = []
    let at = span?.offset ?? 0
    const end = span ? at + span.length : before.size
    do {
      const chunk = await outbox.room(Math.min(CHUNK_BYTES, end - at))
      readFully(fd, path, { chunk, at })
      parts.push(await outbox.run(whole ? makeSmallFile(chunk, executable) : makeLeaf(chunk)))
      at += chunk.length
    } while (at < end)
    if (before.size === 0 && readSync(fd, Buffer.alloc(1)) > 0) throw changedError(path)
    if (signatureOf(fstatSync(fd)) !== signature) throw changedError(path)
    return { parts, executable }
  } finally {
    closeSync(fd)
  }
}

function readFully(fd: number, path: string, { chunk, at }: { chunk: Buffer; at: number }): void {
  for (let length = 0; length < chunk.length; ) {
    const count = naming(path, () => readSync(fd, chunk, length, chunk.length - length, at + length))
    if (count === 0) throw changedError(path)
    length += count
  }
}
