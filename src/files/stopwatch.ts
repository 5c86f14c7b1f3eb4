// How long something took. A date can be set back meanwhile, and the clock that nobody
// sets (CLOCK_MONOTONIC) stands still while the machine is suspended.

/** Begins; gives the milliseconds since, by the clock that went further. */
export function stopwatch(): () => number {
  const [date, clock] = [Date.now(), performance.now()]
  return () => Math.max(Date.now() - date, performance.now() - clock)
}
