// Starting readers (reader.ts), and what they need to know of a tree.

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { base16 } from 'multiformats/bases/base16'
import { base32, base32upper } from 'multiformats/bases/base32'
import { base36 } from 'multiformats/bases/base36'
import { base58btc } from 'multiformats/bases/base58'
import { base64url } from 'multiformats/bases/base64'
import type { CID } from '../../src/store/cid.ts'
import type { ReadableTree, ReaderData, ReaderReport } from './reader.ts'

const BASES = [base32, base32upper, base36, base58btc, base16, base64url]

export function readableTree(name: string, cid: CID, files: ReadonlyMap<string, Buffer>): ReadableTree {
  const facts = Array.from(files, ([path, bytes]) => {
    return [path, { sha256: createHash('sha256').update(bytes).digest('hex'), size: bytes.length }]
  })
  return { name, spellings: BASES.map((base) => cid.toString(base)), files: Object.fromEntries(facts) }
}

/** Starts a reader; `data` is put into `file`. The function that it gives ends it and says what it saw; it may be called again. */
export function startReader(file: string, data: ReaderData): () => Promise<ReaderReport> {
  writeFileSync(file, JSON.stringify(data))
  const script = join(import.meta.dirname, 'reader.ts')
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const closed = once(child, 'close')
  return async () => {
    child.kill('SIGTERM')
    await closed
    // Killed before it could listen to that: it saw nothing.
    return said === '' ? { outcomes: {}, wrong: [] } : (JSON.parse(said) as ReaderReport)
  }
}
