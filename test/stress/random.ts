// Randomness that can be run again: the seed is printed, and SEED names one to repeat.

export const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000)

/** Numbers in [0, 1), the same ones for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Chooses one of several, each as likely. */
export function pickerOf(random: () => number): <T>(from: readonly T[]) => T {
  return (from) => from[Math.floor(random() * from.length)]!
}
