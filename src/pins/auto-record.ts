// What an auto pin remembers: the CID its link led to when it could last be read,
// and the file systems that the way there went over.
//
// A user's link may lie in a home that is not mounted now: readlink then says
// ENOENT, exactly as if it had been deleted. The record tells the two apart, and
// says what to keep as long as we cannot look (invariant 5).

import { basename, dirname, join } from 'node:path'
import { hasCode, isErrno } from '../errors.ts'
import { writeFileAtomic } from '../files/atomic.ts'
import { withOwned } from '../files/owned-directory.ts'
import { readSmallFile } from '../files/small-file.ts'
import type { PrefixPaths } from '../paths.ts'
import { type CID, tryParseCid } from '../store/cid.ts'
import { isMounted, type Mount, type MountLine, mountOf } from './mount-table.ts'
import { recordFile } from './names.ts'
import { ownerOf } from './owners.ts'

const FORMAT = 1

/** A record has a CID and a few mounts; 40 symlinks over paths of 4 KiB each would fit. */
const MAX_BYTES = 256 * 1024

export type AutoRecord = { cid: CID; mounts: Mount[] }

/** The record for a link that led to `cid` over the symlinks `via`. */
export function makeRecord(cid: CID, via: readonly string[], mounts: readonly MountLine[]): AutoRecord {
  const found = new Map<string, Mount>()
  for (const path of via) {
    const mount = mountOf(dirname(path), mounts)
    if (mount) found.set(mount.point, mount)
  }
  return { cid, mounts: [...found.values()].sort((a, b) => (a.point < b.point ? -1 : 1)) }
}

/** Writes the record of an auto pin, unless it says so already. */
export function writeRecord(autoPin: string, record: AutoRecord): void {
  const text = `${JSON.stringify({ format: FORMAT, cid: record.cid.toString(), mounts: record.mounts })}\n`
  if (readText(recordFile(autoPin)) !== text) writeFileAtomic(recordFile(autoPin), text)
}

/** The same for an auto pin of any user's, by whoever collects: only where the directory is that user's. */
export function refreshRecord(
  paths: Pick<PrefixPaths, 'pinsPerUser' | 'profilesPerUser'>,
  autoPin: string,
  record: AutoRecord,
): void {
  const owner = ownerOf(paths, autoPin)
  if (owner === undefined) return
  withOwned(dirname(autoPin), owner, (directory) => writeRecord(join(directory, basename(autoPin)), record))
}

/** The record of an auto pin; undefined when there is none that makes sense. */
export function readRecord(autoPin: string): AutoRecord | undefined {
  try {
    const value = JSON.parse(readText(recordFile(autoPin)) ?? '')
    const cid = typeof value.cid === 'string' ? tryParseCid(value.cid) : undefined
    const mounts: unknown = value.mounts
    if (value.format !== FORMAT || cid === undefined || !Array.isArray(mounts)) return undefined
    return mounts.every(isMount) ? { cid, mounts } : undefined
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined
    throw error
  }
}

/** True when ENOENT on that way means what it says: every file system it goes over is mounted. */
export function isTrulyGone(record: AutoRecord | undefined, mounts: readonly MountLine[]): boolean {
  return (
    record !== undefined &&
    record.mounts.length > 0 &&
    record.mounts.every((mount) => isMounted(mount, mounts))
  )
}

function isMount(value: unknown): value is Mount {
  if (typeof value !== 'object' || value === null) return false
  const { point, type, source } = value as Partial<Record<keyof Mount, unknown>>
  return typeof point === 'string' && typeof type === 'string' && typeof source === 'string'
}

function readText(file: string): string | undefined {
  try {
    return readSmallFile(file, { maxBytes: MAX_BYTES, what: "an auto pin's record" }).toString()
  } catch (error) {
    // EAGAIN: its owner has a lease on it (fcntl(2)), for which nobody waits.
    if (isErrno(error, 'ENOENT', 'EAGAIN') || hasCode(error, 'NOT_FILE')) return undefined
    throw error
  }
}
