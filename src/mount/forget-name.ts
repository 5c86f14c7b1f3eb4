// The kernel keeps "no such name" for ever, as all that it is told: below a CID that is true. At the top of the mount
// a name may appear at any time, so what was not there is forgotten again at once. libfuse 2 has no call for that
// which a file system of paths could use; its device takes the message (linux/fuse.h, FUSE_NOTIFY_INVAL_ENTRY).

import { readdirSync, readlinkSync, write } from 'node:fs'
import { release } from 'node:os'

const DEVICE = '/dev/fuse'
const FUSE_ROOT_ID = 1n
const FUSE_NOTIFY_INVAL_ENTRY = 3
/** struct fuse_out_header: len, error, unique */
const HEADER_BYTES = 16
/** struct fuse_notify_inval_entry_out: parent, namelen, flags */
const ENTRY_BYTES = 16

/** The descriptor by which libfuse and the kernel talk; undefined when there is none, or none any more. */
export function fuseDevice(): number | undefined {
  const found = readdirSync('/proc/self/fd').find((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === DEVICE
    } catch {
      return false
    }
  })
  return found === undefined ? undefined : Number(found)
}

/**
 * The kernel is to ask again about the name, and not to take it out of its tree: what runs there by now would have a
 * working directory that is "(deleted)". Before Linux 6.2, which passes over this, it does that.
 */
const FUSE_EXPIRE_ONLY = 1
const CAN_EXPIRE = /^(?:[7-9]|\d\d|6\.(?:[2-9]|\d\d))/.test(release())

/** Milliseconds after which it is said once more, in case that a kernel keeps the answer only after the first word. */
const AGAIN_MS = 100

/** Errors (errno names) of a mount that is going, or of a name that nobody remembers. */
const EXPECTED = ['ENOENT', 'ENODEV', 'ENOTCONN', 'EBADF']

/**
 * Has the kernel forget that the name is not there, after the look-up that is answered now: that one holds the lock of
 * the directory which this waits for, so it may be called before the answer is given, and must not be waited for by
 * whoever gives it. For the moment in between, microseconds where the machine has time, the name is known not to be
 * there.
 */
export function forgetTopName(name: string): void {
  const text = Buffer.from(`${name}\0`)
  const message = Buffer.alloc(HEADER_BYTES + ENTRY_BYTES + text.length)
  message.writeUInt32LE(message.length, 0)
  message.writeInt32LE(FUSE_NOTIFY_INVAL_ENTRY, 4)
  message.writeBigUInt64LE(FUSE_ROOT_ID, HEADER_BYTES)
  message.writeUInt32LE(text.length - 1, HEADER_BYTES + 8)
  message.writeUInt32LE(FUSE_EXPIRE_ONLY, HEADER_BYTES + 12)
  text.copy(message, HEADER_BYTES + ENTRY_BYTES)
  const say = () => {
    // Looked for each time: once libfuse has closed it, its number may be another file's.
    const device = fuseDevice()
    if (device === undefined) return
    write(device, message, 0, message.length, null, (error) => {
      if (error && !EXPECTED.includes(error.code ?? '')) console.error(`forgetting ${name}: ${error.message}`)
    })
  }
  say()
  if (CAN_EXPIRE) setTimeout(say, AGAIN_MS).unref()
}
