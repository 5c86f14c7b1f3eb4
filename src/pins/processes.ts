// Programs that run from the store are roots: what they map, have open or stand
// in must stay, whatever became of the links that they were started through.
//
// Others are read by a process of ours that may be left where it waits (leavable.ts,
// process-scan.ts). It is one for all processes; when it waits for one, another goes
// on behind that. What was read of a process until then
// counts; that there may be more is said, as it is of those at which we may not look.

import { type CID, tryParseCid } from '../store/cid.ts'
import { askLeavable } from './leavable.ts'
import type { ScanLine, ScanQuery } from './process-scan.ts'
import type { Root } from './root.ts'

/** A process that others have to know of: pid, and what the kernel calls it. */
export type NamedProcess = { pid: number; name: string }

export type ProcessRoots = {
  roots: Root[]
  /** processes of other users at which this one may not look (ptrace(2), PTRACE_MODE_READ) */
  denied: number
  /** the first of them: pid and program (`comm`, which everybody may read) */
  deniedFirst: NamedProcess[]
  /** those of which not all could be read in time: they wait for a file system that does not answer */
  stuck: NamedProcess[]
}

/** Processes of others that are named. */
const NAMED = 3

/** Processes that were stuck when they were read last, by pid and start time: nobody waits for them again. */
export type KnownStuck = Set<string>

/** Processes that hold something of the store that is mounted under one of these names. */
export async function readProcesses(
  stores: readonly string[],
  { proc = '/proc', known = new Set() }: { proc?: string; known?: KnownStuck } = {},
): Promise<ProcessRoots> {
  const { lines, stuck } = await askScanner({ stores, proc }, known)
  const denied = lines.filter((line) => line.denied)
  return {
    roots: lines.flatMap((line) => rootsOf(line, proc)),
    denied: denied.length,
    deniedFirst: denied.slice(0, NAMED).map(({ pid, name }) => ({ pid, name })),
    stuck,
  }
}

function rootsOf({ pid, name, held }: ScanLine, proc: string): Root[] {
  return held.flatMap(([what, text]): Root[] => {
    const cid: CID | undefined = tryParseCid(text)
    return cid ? [{ kind: 'process', cid, name, path: `${proc}/${pid}/${what}`, via: [] }] : []
  })
}

/** One line for each process, and those of which there may be more to say. Those in `known`, to which it adds, are among them. */
export async function askScanner(
  query: Pick<ScanQuery, 'stores' | 'device' | 'proc'>,
  known: KnownStuck = new Set(),
): Promise<{ lines: ScanLine[]; stuck: NamedProcess[] }> {
  const lines = new Map<number, ScanLine>()
  for (let after = 0; ; ) {
    const last = await scan({ ...query, after, stuck: [...known] }, (line) => lines.set(line.pid, line))
    if (last === undefined) break
    known.add(last.id)
    after = last.pid
  }
  const all = [...lines.values()]
  const stuck = all.filter(({ id }) => known.has(id)).map(({ pid, name }) => ({ pid, name }))
  return { lines: all, stuck }
}

/** Gives the process that it did not come past; undefined when it came to the end. */
async function scan(query: ScanQuery, tell: (line: ScanLine) => void): Promise<ScanLine | undefined> {
  let last: ScanLine | undefined
  const isDone = await askLeavable<ScanLine>('process-scanner', query, (line) => {
    last = line
    tell(line)
  })
  return isDone ? undefined : last
}
