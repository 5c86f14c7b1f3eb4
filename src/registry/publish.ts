// Putting a package into a registry that one keeps, or taking one out of it.

import { PkgError } from '../errors.ts'
import type { ManifestPlatform } from '../packages/manifest.ts'
import { readManifest } from '../packages/package.ts'
import { addPin } from '../pins/pins.ts'
import { withAdd } from '../store/add/add.ts'
import type { CID } from '../store/cid.ts'
import { closureSize } from '../store/links/closure.ts'
import { withRoomToRemove } from '../store/room.ts'
import type { Store } from '../store/store.ts'
import { changeRegistry, openRegistry } from './directory.ts'
import { mergePublication, type PlatformBuild, type Publication, withoutVersion } from './record.ts'
import { readRecord } from './tree.ts'

export type PublishOptions = {
  /** let another CID take the place of one that this version has already */
  replace?: boolean
  /** now, when absent */
  published?: Date
  user?: string | undefined
}

export type Published = {
  name: string
  version: string
  /** where it runs, if not everywhere */
  platforms?: readonly ManifestPlatform[]
  cid: CID
  root: CID
  changed: boolean
}

/**
 * Publishes the package at `cid`: pins it (under its own name), then adds it to
 * the registry. Publishing it again changes nothing. Safe beside other publishers.
 * Throws BAD_MANIFEST when it is no package, INCOMPLETE, EXISTS when its version is
 * there with another CID, BAD_REGISTRY, BUSY.
 */
export async function publish(
  store: Store,
  directory: string,
  cid: CID,
  { replace = false, published = new Date(), user }: PublishOptions = {},
): Promise<Published> {
  const { root: before } = openRegistry(store, directory)
  const root = cid.toV1()
  return withAdd(store, async (add) => {
    await add.rely(root)
    const publication = publicationOf(store, root, published)
    const { name, version } = publication
    await addPin(store, { prog: name, cid: root, ...(user === undefined ? {} : { user }) })
    const after = await changeRegistry(store, directory, (current) => {
      const record = readRecord(store.blocks, current, name)
      return new Map([[name, mergePublication(record, publication, { replace })]])
    })
    const { platforms } = readManifest(store.blocks, root)
    const changed = !after.root.equals(before)
    return { name, version, ...(platforms && { platforms }), cid: root, root: after.root, changed }
  })
}

/**
 * Takes a version out of the registry, or the whole package without one. What is
 * installed stays; pins stay. Throws NO_PACKAGE, NO_VERSION.
 */
export async function unpublish(
  store: Store,
  directory: string,
  name: string,
  version?: string,
): Promise<CID> {
  const without = (current: CID) => {
    const record = readRecord(store.blocks, current, name)
    if (!record) throw new PkgError('NO_PACKAGE', `${directory} has no package ${JSON.stringify(name)}`)
    if (version === undefined) return new Map([[name, undefined]])
    if (!record.versions.some((one) => one.version === version)) {
      throw new PkgError('NO_VERSION', `${directory} has no ${name}@${version}`)
    }
    return new Map([[name, withoutVersion(record, version)]])
  }
  const { root } = await withRoomToRemove(store.paths, () => changeRegistry(store, directory, without))
  return root
}

function publicationOf(store: Store, cid: CID, published: Date): Publication {
  const { name, version, description, homepage, licence, platforms, programs } = readManifest(
    store.blocks,
    cid,
  )
  const { bytes: size } = closureSize(store, [cid])
  const build: PlatformBuild = { cid: cid.toString(), size, programs }
  const builds = platforms?.map(({ os, arch, libc }) => ({
    os,
    arch,
    ...(libc ? { libc } : {}),
    ...build,
  })) ?? [build]
  return { name, version, published: published.toISOString(), description, homepage, licence, builds }
}
