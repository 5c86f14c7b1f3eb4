// Where a command takes a DAG: a CID in any spelling with a path below it, a path
// into the store, a symlink that leads there, or the name of what is here, as
// `name` or `name@version`: installed, pinned, or known to a registry, in this order,
// since the nearest is what is meant.

import { existsSync } from 'node:fs'
import { hasCode, PkgError } from '../errors.ts'
import { type Described, describeBuild } from '../install/here.ts'
import { parseSpec, type Spec } from '../install/spec.ts'
import { followPath } from '../install/store-path.ts'
import { shellWord } from '../paths.ts'
import type { CID } from '../store/cid.ts'
import type { Store } from '../store/store.ts'
import { resolvePath } from '../store/unixfs/resolve.ts'
import type { Context } from './context.ts'

/** Where names are looked up. */
type Names = Pick<Context, 'profilePath'>

/**
 * The CID that `text` leads to. Throws BAD_CID, NOT_FOUND, NOT_DIRECTORY, USAGE for a name of several,
 * and what reading blocks throws.
 */
export async function resolveDag(store: Store, text: string, names: Names): Promise<CID> {
  const spec = parseSpec(text)
  if (spec.kind === 'name') return await resolveHere(store, spec, { ...names, text })
  // Without a path nothing is read: the DAG may be of any codec, or not here.
  if (spec.kind === 'cid' && spec.path === '') return spec.cid
  if (spec.kind === 'cid') return resolvePath(store.blocks, spec.cid, spec.path, { followLinks: true }).cid
  const place = followPath(store.blocks, store.paths, spec.path)
  if ('cid' in place) return place.cid
  throw new PkgError('BAD_CID', `${JSON.stringify(text)} is no path into ${store.paths.store}`, {
    hint: `A file or directory gets a CID by \`pkg store add\`; a package is made of one by \`pkg pack ${shellWord(text)}\`.`,
  })
}

/**
 * As `resolveDag`, for something that is to be read. Throws NOT_FOUND when its root block is not here,
 * MISSING_BLOCK when it was found damaged.
 */
export async function resolveHeldDag(store: Store, text: string, names: Names): Promise<CID> {
  const cid = await resolveDag(store, text, names)
  if (store.blocks.has(cid)) return cid
  if (store.blocks.isQuarantined(cid)) throw store.blocks.absent(cid)
  throw new PkgError('NOT_FOUND', `${cid} is not in ${store.paths.root}`, {
    hint: 'Add or import it first: pkg store add, pkg store import.',
  })
}

type Typed = Names & { text: string }

async function resolveHere(
  store: Store,
  spec: Spec & { kind: 'name' },
  { profilePath: path, text }: Typed,
): Promise<CID> {
  const [{ findHere, namesHere }, { openProfile }, { resolve }] = await Promise.all([
    import('../install/here.ts'),
    import('../profiles/profile.ts'),
    import('../install/resolve.ts'),
  ])
  const profile = openProfile(store, { path })
  const [here, ...more] = await findHere(profile, spec)
  if (here !== undefined && more.length > 0) throw severalHere(text, [here, ...more])
  if (here !== undefined) return here.cid
  try {
    return (await resolve(store, text)).cid
  } catch (cause) {
    if (!hasCode(cause, 'NO_PACKAGE')) throw cause
    throw await unknownName(text, await namesHere(profile), cause)
  }
}

/** Says how to name one of them: by its version where that tells them apart. */
export function severalHere(text: string, all: readonly (Described & { cid: CID })[], more = ''): PkgError {
  const name = text.replace(/(?<=.)@.*$/s, '')
  const spec = ({ cid, ...build }: Described & { cid: CID }) => {
    const { version } = build
    const isOnly = version !== undefined && all.filter((one) => one.version === version).length === 1
    return isOnly
      ? `${name}@${version}`
      : `${cid}${version === undefined ? '' : ` (${describeBuild(build)})`}`
  }
  return new PkgError('USAGE', `${text} names ${all.length} pins`, {
    hint: `Name one of them: ${all.map(spec).join(', ')}${more}`,
  })
}

async function unknownName(text: string, names: Iterable<string>, cause: PkgError): Promise<PkgError> {
  const { suggest } = await import('../install/suggest.ts')
  const near = suggest(text.replace(/(?<=.)@.*$/s, ''), names)
  const file = existsSync(text) ? ` For the file or directory here write ./${shellWord(text)}` : ''
  return new PkgError(
    'NOT_FOUND',
    `${JSON.stringify(text)} is neither an installed package nor a pin nor a CID`,
    {
      hint:
        near.length > 0
          ? `Did you mean ${near.join(', ')}?`
          : `\`pkg list\` and \`pkg pin list\` show the names; a path into the store goes too.${file}`,
      cause,
    },
  )
}
