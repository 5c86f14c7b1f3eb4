// The import format, frozen: each of these decides CIDs, so none may change.
// Source: IPIP-499, profile unixfs-v1-2025 (https://specs.ipfs.tech/ipips/ipip-0499/).

/** The most bytes of a file that one leaf holds. */
export const CHUNK_BYTES = 1_048_576

/** The most children that a node of a file's tree has. */
export const FILE_WIDTH = 1024

/** A directory whose one block would be larger than this becomes a HAMT. */
export const SHARD_THRESHOLD_BYTES = 262_144

/** Slots of a HAMT node: one byte of the name's hash picks one. */
export const SHARD_WIDTH = 256

/** murmur3-x64-64 of the multicodec table: the hash that a HAMT is keyed by. */
export const SHARD_HASH = 0x22

/** The mode that is stored for a file which somebody may execute; no other mode is stored. */
export const EXECUTABLE_MODE = 0o755
