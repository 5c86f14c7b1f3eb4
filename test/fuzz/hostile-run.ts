// A hostile DAG in a prefix of its own, and what `pkg` and the mount do with it:
// each step in a process of its own, with its time, its peak of memory and its end.

import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { encode as encodeCbor } from '@ipld/dag-cbor'
import type { CID } from '../../src/store/cid.ts'
import { START } from '../cli/harness.ts'
import { Dag, varint } from '../fixtures/dag.ts'
import type { HostileDag } from '../fixtures/hostile-dags.ts'

export type Step = {
  step: string
  ms: number
  /** what its threads took of the processors, which other work beside does not change; 0 when it was killed */
  cpuMs: number
  peakMiB: number
  /** the exit status, 'killed' after TIMEOUT_MS, or a signal */
  end: number | string
  /** the error's code, where there is one */
  code: string
  /** of the mount: the longest time for which nobody else was answered */
  blockedMs?: number
  stderr: string
}

const TIMEOUT_MS = 180_000
const LOOK_MS = 200
/** Read of what `cat` prints, at most: some would print petabytes, in parts of a byte. */
const MAX_OUTPUT = 4 * 1024 * 1024

export const STEPS: readonly { step: string; words: (cid: string, out: string) => string[] }[] = [
  { step: 'import', words: (_, out) => ['store', 'import', `${out}.car`, '--json'] },
  { step: 'ls', words: (cid) => ['store', 'ls', cid, '-l'] },
  { step: 'stat', words: (cid) => ['store', 'stat', cid, '--json'] },
  { step: 'cat', words: (cid) => ['store', 'cat', cid] },
  { step: 'get', words: (cid, out) => ['store', 'get', cid, `${out}-got`, '--json'] },
  { step: 'export', words: (cid, out) => ['store', 'export', cid, `${out}-out.car`, '--json'] },
  { step: 'pin', words: (cid) => ['pin', 'add', 'hostile', cid, '--json'] },
  { step: 'why', words: (cid) => ['why', cid, '--json'] },
  { step: 'gc', words: () => ['gc', '--dry-run', '--json'] },
  { step: 'pack', words: (cid) => ['pack', '--from', cid, '--as', 'x@1.0.0', '--bin', 'setuid', '--json'] },
  { step: 'verify', words: () => ['store', 'verify', '--json'] },
]

/** Builds it, imports it and takes all steps; `directory` is empty. */
export async function runHostile(
  { build }: HostileDag,
  directory: string,
): Promise<{ blocks: number; bytes: number; steps: Step[] }> {
  const out = join(directory, 'x')
  const { root, blocks, bytes } = writeCar(build, `${out}.car`)
  const steps: Step[] = []
  for (const { step, words } of STEPS) {
    steps.push(
      await take(
        step,
        [START, '--prefix', join(directory, 'prefix'), ...words(String(root), out)],
        directory,
      ),
    )
    rmSync(`${out}-got`, { recursive: true, force: true })
    rmSync(`${out}-out.car`, { force: true })
  }
  steps.push(
    await take(
      'mount',
      [join(import.meta.dirname, 'hostile-mount.ts'), join(directory, 'prefix'), String(root)],
      directory,
    ),
  )
  return { blocks, bytes, steps }
}

/** In a function, so that the DAG is gone from memory before others are measured. */
function writeCar(build: HostileDag['build'], file: string): { root: CID; blocks: number; bytes: number } {
  const dag = new Dag()
  const root = build(dag)
  const fd = openSync(file, 'w')
  const header = encodeCbor({ version: 1, roots: [root] })
  writeSync(fd, Buffer.concat([varint(header.length), header]))
  let bytes = 0
  let waiting: Uint8Array[] = []
  for (const block of dag.blocks.values()) {
    waiting.push(varint(block.cid.bytes.length + block.bytes.length), block.cid.bytes, block.bytes)
    bytes += block.bytes.length
    if (waiting.length < 3000) continue
    writeSync(fd, Buffer.concat(waiting))
    waiting = []
  }
  writeSync(fd, Buffer.concat(waiting))
  closeSync(fd)
  return { root, blocks: dag.blocks.size, bytes }
}

async function take(step: string, words: string[], directory: string): Promise<Step> {
  const report = join(directory, 'peak')
  rmSync(report, { force: true })
  const hook = join(directory, 'peak.mjs')
  writeFileSync(
    hook,
    `import { isMainThread } from 'node:worker_threads'
    import { readFileSync, writeFileSync } from 'node:fs'
    const cpu = () => process.cpuUsage().user + process.cpuUsage().system
    const tell = () => writeFileSync(${JSON.stringify(report)}, readFileSync('/proc/self/status') + '\\ncpu ' + cpu())
    if (isMainThread) process.on('exit', tell)`,
  )
  const start = performance.now()
  const { end, stdout, stderr, peakMiB } = await outcome(
    ['--disable-warning=ExperimentalWarning', `--import=${hook}`, ...words],
    { directory, maxOutput: step === 'cat' ? MAX_OUTPUT : Number.POSITIVE_INFINITY },
  )
  const ms = Math.round(performance.now() - start)
  const code = /"code": ?"(\w+)"/.exec(stdout)?.[1] ?? ''
  const blocked = step === 'mount' ? /"blockedMs":(\d+),"outcome":"([^"]*)"/.exec(stdout) : null
  return {
    step,
    ms,
    cpuMs: Math.round(Number(/^cpu (\d+)/m.exec(readStatus(report))?.[1] ?? 0) / 1000),
    peakMiB: Math.max(peakMiB, peakIn(report)),
    end,
    code: blocked?.[2] ?? code,
    ...(blocked && { blockedMs: Number(blocked[1]) }),
    stderr,
  }
}

/**
 * The most memory that a process had, in MiB, as its /proc/<pid>/status says; 0 where that is not there.
 * Not getrusage(2): there a child begins with what its parent has, and we have built the DAG.
 */
function peakIn(status: string): number {
  return Math.round(Number(/^VmHWM:\s*(\d+) kB/m.exec(readStatus(status))?.[1] ?? 0) / 1024)
}

function readStatus(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function outcome(
  words: string[],
  { directory, maxOutput }: { directory: string; maxOutput: number },
): Promise<{ end: number | string; stdout: string; stderr: string; peakMiB: number }> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, HOME: directory, CI: '1' }
    const child = spawn(process.execPath, words, {
      cwd: directory,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    })
    // One that is killed in the end tells nothing itself.
    let peakMiB = 0
    const look = setInterval(() => {
      peakMiB = Math.max(peakMiB, peakIn(`/proc/${child.pid}/status`))
    }, LOOK_MS)
    let stdout = ''
    let stderr = ''
    let read = 0
    child.stdout.on('data', (bytes: Buffer) => {
      read += bytes.length
      if (stdout.length < 100_000) stdout += bytes.toString('latin1')
      if (read > maxOutput) child.stdout.destroy()
    })
    child.stderr.on('data', (bytes: Buffer) => {
      if (stderr.length < 10_000) stderr += bytes.toString()
    })
    child.once('error', reject)
    child.once('close', (status, signal) => {
      clearInterval(look)
      resolve({ end: signal ?? status ?? 'unknown', stdout, stderr, peakMiB })
    })
  })
}
