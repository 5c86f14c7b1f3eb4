// Which software a mount server runs: two that differ in this are of different
// builds. Told by the contents of the file it was started from, as they were then:
// versions repeat while one develops, and installers set times of files at will.

import { readFileSync } from 'node:fs'
import { sha256 } from '../store/blocks/hash.ts'

/** Enough of the digest to tell builds apart. */
const DIGITS = 16

/** Undefined when the file is not there any more. */
export function softwareOf(entry: string): string | undefined {
  try {
    return Buffer.from(sha256(readFileSync(entry)))
      .toString('hex')
      .slice(0, DIGITS)
  } catch {
    return undefined
  }
}
