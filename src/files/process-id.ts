// Which process: a pid alone is a weak name, for the kernel gives it again, after
// a reboot from the start, and in every pid namespace anew.

import { randomInt } from 'node:crypto'
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

/** Whether a signal or a debugger has stopped a process (proc_pid_stat(5), field 3). */
export function isStopped(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return 'Tt'.includes(stat.charAt(stat.lastIndexOf(')') + 2))
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return false
    throw error
  }
}

/** The effective uid of a process (proc_pid_status(5)); undefined when there is none. */
export function processOwner(pid: number): number | undefined {
  try {
    const uid = /^Uid:\t\d+\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
    return uid === undefined ? undefined : Number(uid)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined
    throw error
  }
}

let boot: string | undefined
let namespace: string | undefined

/** This boot of the machine (random(4)). */
export function bootId(): string {
  boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  return boot
}

/** A process by a name that is no other's: pid, start time in clock ticks since boot, boot, pid namespace. */
export type ProcessId = Readonly<{ pid: number; start: string; boot: string; namespace: string }>

/** The name of this process. */
export function ownProcessId(): ProcessId {
  const { pid } = process
  return { pid, start: processStart(pid) ?? '', boot: bootId(), namespace: pidNamespace() }
}

/**
 * Whether that very process runs: not one that got its pid later, and not a zombie.
 * `elsewhere`: it is of another pid namespace, so nobody here can look it up. The
 * digits of the namespace are enough, as names of files have them.
 */
export function lifeOf({ pid, start, boot, namespace }: ProcessId): 'runs' | 'gone' | 'elsewhere' {
  if (boot !== bootId()) return 'gone'
  if (namespaceDigits(namespace) !== namespaceDigits()) return 'elsewhere'
  return processStart(pid) === start ? 'runs' : 'gone'
}

/** `pid:[4026531836]` as a part of a file's name. */
export function namespaceDigits(namespace = pidNamespace()): string {
  return namespace.replace(/\D/g, '')
}

/** The time namespace of the machine itself (linux/proc_ns.h): all others are containers'. */
const MACHINES_TIME = 'time:[4026531834]'

/**
 * Where this process's pid and start time mean something: pids are told apart by
 * pid_namespaces(7), and start times are shown as time_namespaces(7) has them. Who finds
 * another name here than their own can tell nothing about that process. Where /proc is
 * that of another namespace, as after `unshare --pid` alone, pids cannot be looked up in
 * it: such a process has a name of its own.
 */
export function pidNamespace(): string {
  namespace ??= readNamespace()
  return namespace
}

function readNamespace(): string {
  const pids = readlinkSync('/proc/self/ns/pid')
  if (readlinkSync('/proc/self') !== String(process.pid)) return `${pids}+${randomInt(2 ** 47)}`
  const time = timeNamespace()
  return time === MACHINES_TIME ? pids : `${pids}+${time.replace(/\D/g, '')}`
}

function timeNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/time')
  } catch (error) {
    // Linux before 5.6, or built without them.
    if (isErrno(error, 'ENOENT')) return MACHINES_TIME
    throw error
  }
}
