// Which process: a pid alone is a weak name, for the kernel gives it again, after
// a reboot from the start, and in every pid namespace anew.

import { readFileSync, readlinkSync } from 'node:fs'
import { isErrno } from '../errors.ts'

/**
 * When a process started, in clock ticks since boot (proc_pid_stat(5), field 22).
 * Undefined when there is none, or only a zombie: where pid 1 does not reap, as
 * in many containers, a killed process keeps its entry for ever.
 */
export function processStart(pid: number): string | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined
    throw error
  }
  // The second field is the command in brackets, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
}

let boot: string | undefined
let namespace: string | undefined

/** This boot of the machine (random(4)). */
export function bootId(): string {
  boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  return boot
}

/** The namespace in which this process's pids mean something (pid_namespaces(7)). */
export function pidNamespace(): string {
  namespace ??= readlinkSync('/proc/self/ns/pid')
  return namespace
}
