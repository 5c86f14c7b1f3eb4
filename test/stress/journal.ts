// What a worker of the stress tests tells about what it does: a line before, with
// what it is about to do, and a line after, with what the library reported done.
// A line is one write(2): what was written before a `kill -9` can be read after it.

import { closeSync, openSync, readSync, writeSync } from 'node:fs'

/** What an operation changes: the line before names it, the line after says how it came out. */
export type Line =
  /** a pin of this name (`cid` when it is reported), and its removal */
  | { op: 'pin' | 'unpin'; key: string; cid?: string }
  /** the profile: which generation is current, and its environment */
  | { op: 'profile'; what: string; generation?: number; cid?: string }
  /** the root of the registry of this worker */
  | { op: 'publish'; key: string; cid?: string; root?: string }
  /** an add that is finished and kept by its open session only, and the session's end */
  | { op: 'hold' | 'release'; cid?: string }
  | { op: 'collect'; what: string; blocks?: number }

export type Entry = Line & { state: 'intent' | 'done' | 'failed'; code?: string; message?: string }

export class JournalWriter {
  readonly #fd: number

  constructor(file: string) {
    this.#fd = openSync(file, 'a')
  }

  write(entry: Entry): void {
    writeSync(this.#fd, `${JSON.stringify(entry)}\n`)
  }
}

export class JournalReader {
  readonly #fd: number
  #at = 0

  constructor(file: string) {
    this.#fd = openSync(file, 'a+')
  }

  /** The lines that came since the last call. */
  read(): Entry[] {
    let text = ''
    for (const buffer = Buffer.alloc(65_536); ; ) {
      const count = readSync(this.#fd, buffer, 0, buffer.length, this.#at + text.length)
      if (count === 0) break
      text += buffer.toString('latin1', 0, count)
    }
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    this.#at += whole.length
    return whole
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Entry)
  }

  close(): void {
    closeSync(this.#fd)
  }
}
