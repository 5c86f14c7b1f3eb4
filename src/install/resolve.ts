// From what a user asks for to one package's root CID. By name it reads the
// subscriptions and a handful of blocks of each registry, and no database.

import { statSync } from 'node:fs'
import { hasCode, PkgError } from '../errors.ts'
import type { Manifest } from '../packages/manifest.ts'
import { type PackOptions, packDirectory } from '../packages/pack.ts'
import { readManifest } from '../packages/package.ts'
import { currentPlatform, type Platform, platformFits, requirePlatform } from '../packages/platform.ts'
import { shellWord, userName } from '../paths.ts'
import { listPins } from '../pins/pins.ts'
import type { Profile, ProfileStore } from '../profiles/profile.ts'
import type { PackageRecord } from '../registry/record.ts'
import { readSubscriptions, type Subscription } from '../registry/subscription.ts'
import { isDamage, packageNames, readRecord } from '../registry/tree.ts'
import { type CID, parseCid } from '../store/cid.ts'
import type { Store } from '../store/store.ts'
import { resolvePath } from '../store/unixfs/resolve.ts'
import { chooseVersion } from './choose.ts'
import { byVersion, findHere, type Here, isMeant, pinnedPackage } from './here.ts'
import { parseSpec, type Spec } from './spec.ts'
import { followPath } from './store-path.ts'
import { suggest } from './suggest.ts'

export type AskedRegistries = {
  user?: string | undefined
  /** ask only this one */
  registry?: string | undefined
  /** roots to look in, by the registries' names, in the place of those in force */
  roots?: ReadonlyMap<string, CID> | undefined
}

export type ResolveOptions = AskedRegistries & {
  /** where to look for a name that no registry has: among what is installed and pinned */
  here?: Profile<ProfileStore> | undefined
  /** this machine's when absent */
  platform?: Platform
  /** For a directory that is not in the store: how it is packed; `keep` is the place to pin it. */
  pack?: Pick<PackOptions, 'as' | 'keep' | 'signal' | 'onProgress' | 'onFault'>
}

export type ResolvedPackage = {
  name: string
  version: string
  cid: CID
  /** as it was asked for */
  requested: string
  /** the registry that said so; undefined for a CID, a path or a directory */
  registry?: string
}

/**
 * The package that `text` stands for (see spec.ts). From a name, the newest version
 * that fits the range and the platform, from the first registry that has the name; with
 * `here` else from what is here.
 * Whether its blocks are here is not asked.
 * Throws NO_PACKAGE with the nearest names, NO_VERSION with what there is, USAGE,
 * BAD_NAME, NOT_FOUND, BAD_MANIFEST, UNSUPPORTED for another platform, MISSING_BLOCK.
 */
export async function resolve(
  store: Store,
  text: string,
  options: ResolveOptions = {},
): Promise<ResolvedPackage> {
  const spec = parseSpec(text)
  const platform = options.platform ?? currentPlatform()
  if (options.pack?.as !== undefined && spec.kind !== 'path') throw notToPack(text)
  if (spec.kind === 'name')
    return { ...(await resolveAnywhere(store, spec, platform, options)), requested: text }
  if (spec.kind === 'cid') {
    const { cid } = resolvePath(store.blocks, spec.cid, spec.path)
    return { ...packageAt(store, cid, platform), requested: text }
  }
  const place = followPath(store.blocks, store.paths, spec.path)
  if ('file' in place) {
    const { cid, manifest } = await packDirectory(store, place.file, options.pack)
    requirePlatform(manifest, platform)
    return { ...described(cid, manifest), requested: text }
  }
  if (options.pack?.as !== undefined) throw notToPack(text)
  // A program of a package stands for the package.
  const cid = place.node.type === 'file' ? place.root : place.cid
  return { ...packageAt(store, cid, platform), requested: text }
}

function notToPack(text: string): PkgError {
  const bare = isDirectory(text)
  const what = bare ? 'is taken for a name, not for the directory of that name' : 'is no directory to pack'
  return new PkgError('USAGE', `${text} ${what}: it cannot be named by --as`, {
    hint: bare
      ? `A directory is written as a path: ./${shellWord(text)}`
      : 'Name a directory: ./dir --as name@version',
  })
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

export type FoundRecord = { registry: string; root: CID; record: PackageRecord }

/** The record of a package, from the first registry that has one. Throws NO_PACKAGE with the nearest names. */
export async function findRecord(
  store: Store,
  name: string,
  { user, registry, roots, range }: AskedRegistries & { range?: string | undefined } = {},
): Promise<FoundRecord> {
  const all = readSubscriptions(store.paths, user).map((one) => {
    return { ...one, root: roots?.get(one.name) ?? one.root }
  })
  const asked = registry === undefined ? all : all.filter((one) => one.name === registry)
  for (const { name: from, root } of asked) {
    const record = recordFrom(store, { name: from, root }, name)
    if (record) return { registry: from, root, record }
  }
  const pinned = (await listPins(store, { user: user ?? userName() }))
    .filter(({ prog }) => prog === name)
    .map(({ cid }) => ({ ...pinnedPackage(store.blocks, cid), cid }))
    .filter(({ version }) => isMeant(version, range))
    .sort(byVersion)
    .at(-1)
  const error = noPackage(store, name, asked, registry)
  if (pinned === undefined) throw error
  const newest = asked.length === 0 ? '' : '; `pkg registry update` takes what was published since'
  throw new PkgError('NO_PACKAGE', error.message, {
    hint: `${name} is pinned here: pkg install ${pinned.cid}${newest}`,
  })
}

/** The next registry is not asked instead: it may have another package of that name. */
function recordFrom(
  store: Store,
  { name: registry, root }: Pick<Subscription, 'name' | 'root'>,
  name: string,
): PackageRecord | undefined {
  try {
    return readRecord(store.blocks, root, name)
  } catch (cause) {
    if (!isDamage(cause)) throw cause
    const otherwise = `\`pkg registry update ${shellWord(registry)}\` takes its newest state; \`pkg registry remove ${shellWord(registry)}\` goes on without it.`
    throw new PkgError(cause.code, `the registry ${registry} cannot be read: ${cause.message}`, {
      hint: (cause.code === 'UNSUPPORTED' ? cause.hint : undefined) ?? otherwise,
      cause,
    })
  }
}

/** By a registry, else by what is here: the newest that runs on `platform`. */
async function resolveAnywhere(
  store: Store,
  spec: Spec & { kind: 'name' },
  platform: Platform,
  options: ResolveOptions,
): Promise<Omit<ResolvedPackage, 'requested'>> {
  try {
    return await resolveName(store, spec, platform, options)
  } catch (error) {
    const isUnknown = hasCode(error, 'NO_PACKAGE', 'NO_VERSION') && options.registry === undefined
    if (!isUnknown || options.here === undefined) throw error
    const runs = ({ platforms }: Here) => platforms?.some((one) => platformFits(one, platform)) ?? true
    const found = (await findHere(options.here, spec)).findLast(
      (one) => one.version !== undefined && runs(one),
    )
    if (found === undefined) throw error
    return packageAt(store, found.cid, platform)
  }
}

async function resolveName(
  store: Store,
  { name, range }: Spec & { kind: 'name' },
  platform: Platform,
  options: AskedRegistries,
): Promise<Omit<ResolvedPackage, 'requested'>> {
  const { registry, record } = await findRecord(store, name, { ...options, range })
  try {
    const { version, build } = chooseVersion(record, range, platform)
    return { name, version, cid: parseCid(build.cid), registry }
  } catch (cause) {
    if (!hasCode(cause, 'NO_VERSION')) throw cause
    throw new PkgError('NO_VERSION', `${cause.message} (registry ${registry})`, {
      ...(cause.hint === undefined ? {} : { hint: cause.hint }),
      cause,
    })
  }
}

function packageAt(store: Store, cid: CID, platform: Platform): Omit<ResolvedPackage, 'requested'> {
  const manifest = readManifest(store.blocks, cid)
  requirePlatform(manifest, platform)
  return described(cid, manifest)
}

function described(cid: CID, { name, version }: Manifest): Omit<ResolvedPackage, 'requested'> {
  return { name, version, cid: cid.toV1() }
}

function noPackage(
  store: Store,
  name: string,
  asked: readonly Subscription[],
  registry: string | undefined,
): PkgError {
  if (asked.length === 0) {
    const what = registry === undefined ? 'any registry' : `the registry ${registry}`
    return new PkgError('NO_PACKAGE', `${name} cannot be looked up: you are not subscribed to ${what}`, {
      hint: 'Subscribe: pkg registry add <name> <directory or CID>',
    })
  }
  const near = suggest(
    name,
    asked.flatMap(({ root }) => readableNames(store, root)),
  )
  const where = asked.map((one) => one.name).join(', ')
  return new PkgError('NO_PACKAGE', `there is no package ${JSON.stringify(name)} in ${where}`, {
    hint:
      near.length > 0
        ? `Did you mean ${near.join(', ')}?`
        : `\`pkg registry update\` takes the newest list; \`pkg search ${shellWord(name)}\` looks in descriptions too. For a directory write ${shellWord(`./${name}`)}`,
  })
}

/** A hint is no reason to fail. */
function readableNames(store: Store, root: CID): string[] {
  try {
    return [...packageNames(store.blocks, root)]
  } catch (error) {
    if (!isDamage(error)) throw error
    return []
  }
}
