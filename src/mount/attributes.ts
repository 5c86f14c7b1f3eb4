// From what UnixFS says about a node to what stat(2) and getxattr(2) say.

import type { CID } from '../store/cid.ts'
import type { Stat } from '../store/unixfs/stat.ts'
import { storedSeconds } from '../store/unixfs/times.ts'
import type { Attributes } from './fuse-stat.ts'

/** File types in st_mode (inode(7)). */
export const TYPE_MODE = { file: 0o100000, directory: 0o040000, symlink: 0o120000 } as const

/** Readable and executable as stored; no write bits, and no setuid, setgid, sticky: a CID grants nobody anything. */
const SHOWN_BITS = 0o555

/** The mount's own top: it lists, and has no CID. */
export const TOP: Attributes = { mode: TYPE_MODE.directory | 0o555, size: 0, seconds: 0, nanoseconds: 0 }

export function attributesOf({ type, size, mode, mtime }: Stat): Attributes {
  // Linux shows a symlink with all bits, and never looks at them.
  const bits = type === 'symlink' ? 0o777 : mode & SHOWN_BITS
  return { mode: TYPE_MODE[type] | bits, size, seconds: mtime.seconds, nanoseconds: mtime.nanoseconds }
}

/** Extended attributes: the CID in its usual spelling, and a stored time in full, whatever stat(2) can show of it. */
export function xattrsOf(cid: CID, { mtime }: Stat): Map<string, Uint8Array> {
  const values = new Map([['ipfs.cid', Buffer.from(cid.toString())]])
  if (mtime.seconds !== 0 || mtime.nanoseconds !== 0) {
    const fraction = String(mtime.nanoseconds).padStart(9, '0')
    values.set('ipfs.mtime', Buffer.from(`${storedSeconds(mtime)}.${fraction}`))
  }
  return values
}
