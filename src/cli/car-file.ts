// CAR files as commands take and make them: "-" is standard input or output, and
// a file that is made appears whole or not at all.

import { randomBytes } from 'node:crypto'
import { constants, createReadStream, existsSync, openSync, statSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { Socket } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { addAbortSignal } from 'node:stream'
import { codeOf, hasCode, isErrno, PkgError } from '../errors.ts'

/**
 * The bytes of a CAR file, or of standard input for "-". The signal ends the waiting
 * for more. Throws IS_DIRECTORY.
 */
export function readCar(file: string, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const stats = file === '-' ? undefined : statSync(file, { throwIfNoEntry: false })
  if (stats?.isDirectory()) {
    throw new PkgError('IS_DIRECTORY', `${file} is a directory and no CAR file`, {
      hint: 'A directory is added by `pkg store add`.',
    })
  }
  if (stats?.isFIFO()) return addAbortSignal(signal, readFifo(file))
  return addAbortSignal(signal, file === '-' ? process.stdin : createReadStream(file))
}

/** A thread that waits in open(2) for who writes it would keep this process from ending. */
function readFifo(file: string): Socket {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  return new Socket({ fd, readable: true, writable: false })
}

/** For what the reading of a CAR threw: the same, naming the file. */
export function namingCar(file: string, cause: unknown): unknown {
  if (file === '-' || !hasCode(cause, 'BAD_CAR')) return cause
  return new PkgError(cause.code, `${file}: ${cause.message}`, {
    cause,
    ...(cause.hint !== undefined && { hint: cause.hint }),
  })
}

export type WriteCarOptions = { force?: boolean | undefined; onBytes?(bytes: number): void }

/** Writes a CAR to `file` and gives its length in bytes. Throws EXISTS unless `force`. */
export async function writeCar(
  car: AsyncIterable<Uint8Array>,
  file: string,
  { force = false, onBytes }: WriteCarOptions = {},
): Promise<number> {
  if (!force && existsSync(file)) {
    throw new PkgError('EXISTS', `${file} is there already`, {
      hint: 'Name another file, or replace it with --force.',
    })
  }
  const temp = join(dirname(file), `.tmp-${basename(file).slice(0, 100)}-${randomBytes(6).toString('hex')}`)
  const handle = await open(temp, 'wx').catch((cause) => {
    throw cannotWrite(file, cause)
  })
  let written = 0
  try {
    for await (const piece of car) {
      await handle.writeFile(piece)
      written += piece.length
      onBytes?.(written)
    }
    await handle.sync()
    await handle.close()
    await rename(temp, file)
  } catch (error) {
    await handle.close()
    await rm(temp, { force: true })
    throw error
  }
  return written
}

/** Names the file that was asked for: of the temporary one beside it nobody knows. */
function cannotWrite(file: string, cause: unknown): unknown {
  if (!isErrno(cause, 'ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EROFS')) return cause
  const directory = dirname(file)
  const why = {
    ENOENT: `there is no directory ${directory}`,
    ENOTDIR: `${directory} is no directory`,
    EROFS: `${directory} is on a read-only file system`,
  }[cause.code ?? '']
  return new PkgError(codeOf(cause), `${file} cannot be written: ${why ?? `not permitted in ${directory}`}`, {
    cause,
  })
}
