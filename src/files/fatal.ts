// The end of a process by a bug: its log gets the stack, and not the line of the source,
// which in what is built is tens of kilobytes long.

/** From now on an error that nobody catches is one entry on stderr, and ends the process with 1. */
export function endOnFatal(speaker: string): void {
  process.on('uncaughtException', (error: unknown) => {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error)
    process.stderr.write(`${new Date().toISOString()} ${speaker}: ended by an error: ${what}\n`)
    process.exit(1)
  })
}
