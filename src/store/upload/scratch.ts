// A scratch prefix: where a user who may not write the prefix builds what is then
// uploaded. It lies in the user's temp directory, closed to others, and is there
// only while a session is open. What a kill leaves is removed by the user's next one:
// the temp pins in it tell whether its process still lives, as in any prefix.

import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isErrno } from '../../errors.ts'
import type { AddPlaces } from '../add/add.ts'
import { type ReadTempPin, readTempPins } from '../add/temp-pin.ts'

/** A directory without a temp pin is one that is being made, for this long, in ms. */
const MAKING_MS = 60_000

export class Scratch {
  #root: string | undefined
  #sessions = 0
  #next = 0

  /** Where blocks lie that are not uploaded yet, or were just now; undefined: nowhere. */
  get blocks(): string | undefined {
    return this.#root && join(this.#root, 'blocks')
  }

  /** The places of one more session, whose blocks go `elsewhere`: they are shared by all sessions here, temp pins are its own. */
  enter(elsewhere: string): AddPlaces {
    this.#root ??= makeRoot()
    const root = this.#root
    const tempPins = join(root, 'pins', String(this.#next++))
    mkdirSync(tempPins)
    this.#sessions += 1
    return {
      blocks: join(root, 'blocks'),
      blocksTemp: join(root, 'temp'),
      quarantine: join(root, 'quarantine'),
      pinsLock: join(root, 'lock'),
      collector: join(root, 'collector'),
      tempPins,
      lateShards: true,
      elsewhere,
    }
  }

  /** Ends a session; with the last one everything goes. */
  leave(): void {
    this.#sessions -= 1
    if (this.#sessions > 0 || this.#root === undefined) return
    rmSync(this.#root, { recursive: true, force: true })
    this.#root = undefined
  }
}

function makeRoot(): string {
  const directory = tmpdir()
  removeLeftovers(directory)
  // mkdtemp(3) makes it 0700, and never takes one that is there.
  const root = mkdtempSync(join(directory, namePrefix()))
  for (const name of ['blocks', 'temp', 'quarantine', 'pins']) mkdirSync(join(root, name))
  return root
}

/** Removes the scratch prefixes of this user's processes that are gone. */
function removeLeftovers(directory: string): void {
  const prefix = namePrefix()
  for (const name of readdirSync(directory)) {
    const path = join(directory, name)
    if (name.startsWith(prefix) && isLeftover(path)) rmSync(path, { recursive: true, force: true })
  }
}

/** Anybody may make a directory of that name: only what is this user's own is judged, and no link is followed. */
function isLeftover(root: string): boolean {
  try {
    const stats = lstatSync(root)
    if (!stats.isDirectory() || stats.uid !== process.getuid?.()) return false
    const pins = tempPinsIn(join(root, 'pins'))
    if (pins.length === 0) return Date.now() - stats.mtimeMs > MAKING_MS
    return pins.every(({ alive }) => !alive)
  } catch (error) {
    // Its own process removes it right now, or has not made all of it.
    if (isErrno(error, 'ENOENT')) return false
    throw error
  }
}

function tempPinsIn(pins: string): ReadTempPin[] {
  return readdirSync(pins).flatMap((session) => readTempPins({ tempPins: join(pins, session) }))
}

function namePrefix(): string {
  return `pkg-scratch-${process.getuid?.()}-`
}
