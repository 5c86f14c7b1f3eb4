// Named points at which a test makes this process die as a power cut or `kill -9` would: no handler runs,
// no lock is given back, no temp file is removed. PKG_TEST_KILL_AT holds the name of one point; unset, a
// point costs one comparison. And steps that a test has left out, to show that it is missed.

const killAt = process.env.PKG_TEST_KILL_AT

/** Kills this process with SIGKILL when PKG_TEST_KILL_AT is `name` ("<topic>:<step>", e.g. "profile:linked"). */
export function failpoint(name: string): void {
  if (killAt === name) process.kill(process.pid, 'SIGKILL')
}

const broken = process.env.PKG_TEST_BREAK

/**
 * True when PKG_TEST_BREAK is `name`: the caller leaves out what it is there for, so that a test can show that
 * its harness would notice. Names: "barrier", "collector-recheck".
 */
export function isBroken(name: 'barrier' | 'collector-recheck'): boolean {
  return broken === name
}
