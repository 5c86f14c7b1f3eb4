// The library: everything that `pkg` does, for programs. What is exported here is
// kept stable; everything else may change. Helia is loaded only by the functions
// that need it.

import type { openHelia as OpenHelia } from './network/helia.ts'
import type { adoptPackage as AdoptPackage } from './packages/adopt.ts'

// Errors, and where things lie.

export { type Config, readConfig } from './config.ts'
export { type ErrorCode, EXIT, exitStatusOf, hasCode, PkgError, type PkgErrorOptions } from './errors.ts'
export { type PrefixPaths, prefixPaths, profileLink, resolvePrefix, storePath, userName } from './paths.ts'

// The store: blocks in, blocks out.

export { AddSession, withAdd } from './store/add/add.ts'
export { type ImportedCar, importCar } from './store/car/read.ts'
export { exportCar } from './store/car/write.ts'
export { CID, parseCid, tryParseCid } from './store/cid.ts'
export { type ExportOptions, exportTree } from './store/export.ts'
export {
  type ImportedTree,
  type ImportOptions,
  importTree,
} from './store/import/import-tree.ts'
export { buildTree, type TreeEntry } from './store/import/tree.ts'
export type { ImportProgress } from './store/import/walk.ts'
export { closure, closureSize, missingBlocks, requireComplete } from './store/links/closure.ts'
export { Store } from './store/store.ts'
export { reindex } from './store/verify/reindex.ts'
export { type Verified, verifyStore } from './store/verify/verify.ts'

// UnixFS, read from the blocks: the mount need not be there.

export { type Entry, list, lookup } from './store/unixfs/directory.ts'
export { chunks, FileReader, readFile } from './store/unixfs/read.ts'
export { resolvePath } from './store/unixfs/resolve.ts'
export { type Stat, stat } from './store/unixfs/stat.ts'

// What keeps DAGs alive, and the collector.

export { runCollection } from './collector/collect.ts'
export type { CollectionPlan, CollectionResult } from './collector/figures.ts'
export { planCollection } from './collector/plan.ts'
export type { RetentionPolicy } from './collector/retention.ts'
export { autoPin, removeAutoPin } from './pins/auto-pin.ts'
export { addPin, listPins, type Pin, removePin } from './pins/pins.ts'
export type { Root } from './pins/root.ts'
export { roots } from './pins/roots.ts'
export { type Why, why } from './pins/why.ts'

// Packages.

export type { AdoptedPackage, AdoptOptions } from './packages/adopt.ts'
export { type Manifest, validateManifest } from './packages/manifest.ts'
export { type PackedPackage, type PackOptions, packDirectory } from './packages/pack.ts'
export { readManifest } from './packages/package.ts'
export { currentPlatform, type Platform } from './packages/platform.ts'

/** Makes a package of a DAG that somebody else made; see packages/adopt.ts. */
export const adoptPackage: typeof AdoptPackage = async (...args) =>
  (await import('./packages/adopt.ts')).adoptPackage(...args)

// Profiles.

export { removePackages } from './install/remove.ts'
export { type ChangeOptions, changeProfile, type ProfileChange } from './profiles/change.ts'
export { type Change, changesBetween } from './profiles/compare.ts'
export { diffGenerations, type GenerationDiff } from './profiles/diff.ts'
export { buildEnvironment, readEnvironment } from './profiles/environment.ts'
export { type History, history } from './profiles/history.ts'
export { type InstalledPackage, installedPackage } from './profiles/installed.ts'
export {
  currentGeneration,
  type Generation,
  generations,
  openProfile,
  type Profile,
} from './profiles/profile.ts'
export { installedPackages } from './profiles/read-installed.ts'
export { type ProfileSwitch, rollback, switchGeneration } from './profiles/switch.ts'

// Registries, and changing a profile by what they have.

export { installPackages } from './install/install.ts'
export { findRecord, type ResolvedPackage, resolve } from './install/resolve.ts'
export { upgradePackages } from './install/upgrade.ts'
export { createRegistry, openRegistry, type RegistryDirectory } from './registry/directory.ts'
export { type Published, publish, unpublish } from './registry/publish.ts'
export type { PackageRecord } from './registry/record.ts'
export { type Found, search } from './registry/search.ts'
export { addRegistry, listRegistries, removeRegistry } from './registry/subscribe.ts'
export { type RegistryUpdate, updateRegistry } from './registry/update.ts'

// The daemon and the mount.

export { type DaemonState, daemonState, ensureDaemon, isServing, stopDaemon } from './daemon/client/client.ts'
/** A store to add to, whoever asks: through the daemon where this user may not write the prefix. */
export { openStore } from './daemon/client/open-store.ts'
export { runDoctor } from './daemon/doctor/doctor.ts'

// Helia over our blocks.

export type { HeliaNode } from './network/helia.ts'

/** Opens an offline Helia over the store; see network/helia.ts. */
export const openHelia: typeof OpenHelia = async (...args) =>
  (await import('./network/helia.ts')).openHelia(...args)
