// ipfs-unixfs-importer with the frozen format's settings: what our importer has to equal.

import { type ImportCandidate, importer } from 'ipfs-unixfs-importer'

/** The root that the library gives to these entries; the directory around them when `wrap` is set. */
export async function libraryImport(
  entries: ImportCandidate[],
  { wrap = true } = {},
): Promise<{ cid: string; size: number; blocks: Map<string, Uint8Array> }> {
  const blocks = new Map<string, Uint8Array>()
  const store = {
    put: async (
      cid: { toString(): string },
      bytes: Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    ) => {
      blocks.set(cid.toString(), bytes as Uint8Array)
      return cid
    },
  }
  let last: { cid: { toString(): string }; size: bigint } | undefined
  for await (const entry of importer(entries, store as never, {
    profile: 'unixfs-v1-2025',
    wrapWithDirectory: wrap,
  })) {
    last = entry
  }
  if (last === undefined) throw new Error('the library imported nothing')
  return { cid: last.cid.toString(), size: Number(last.size), blocks }
}
