// What a user may write where a package is meant, told apart by its looks alone:
// nothing is opened here, so a spec means the same in every directory.
//   esbuild  esbuild@0.24  esbuild@^0.24     a package in a registry
//   bafy…  Qm…  /ipfs/bafy…  ipfs://bafy…/x  a CID in any spelling, with a path below it
//   ./dir  ../x  /ipfs/store/bafy…/x  a/b    a path: into the store, a link to there, a directory

import { PkgError } from '../errors.ts'
import { checkName } from '../paths.ts'
import { type CID, tryParseCid } from '../store/cid.ts'

/** Long words that begin as CIDs do, in base32 (v1) or base58 (v0): no package and no directory is called so. */
const LOOKS_LIKE_CID = /^(?:ba[a-z]|Qm)[0-9A-Za-z]{37,}$/

export type Spec =
  | { kind: 'name'; name: string; range: string | undefined }
  | { kind: 'cid'; cid: CID; path: string }
  | { kind: 'path'; path: string }

/**
 * What `text` asks for. A bare word is a CID if it parses as one, else a package's
 * name; whatever holds a slash or begins with a dot is a path.
 * Throws USAGE when it is empty, BAD_CID for a CID with a slip in it, BAD_NAME when its name cannot be one.
 */
export function parseSpec(text: string): Spec {
  if (text === '') {
    throw new PkgError('USAGE', 'a package is missing', {
      hint: 'Give a name, name@version, a CID, or a path.',
    })
  }
  const address = /^(?:ipfs:\/\/|\/ipfs\/)?([^/]+)(?:\/(.*))?$/s.exec(text)
  const cid = address?.[1] === undefined ? undefined : tryParseCid(address[1])
  if (cid) return { kind: 'cid', cid, path: address?.[2] ?? '' }
  if (address?.[1] !== undefined && LOOKS_LIKE_CID.test(address[1])) {
    throw new PkgError('BAD_CID', `${address[1]} looks like a CID but is not one`, {
      hint: 'A character is missing, too many or mistyped. A directory of that name: ./<name>',
    })
  }
  if (text.includes('/') || text.startsWith('.')) return { kind: 'path', path: text }
  return parseNameSpec(text)
}

/** `name`, or `name@range`; the range is not looked at here. */
function parseNameSpec(text: string): Spec {
  const at = text.indexOf('@', 1)
  const name = checkName(at === -1 ? text : text.slice(0, at), 'package name')
  const range = at === -1 ? undefined : text.slice(at + 1)
  if (range === '') {
    throw new PkgError('USAGE', `the version is missing after ${JSON.stringify(text)}`, {
      hint: `Leave the "@" out for the newest version: ${name}`,
    })
  }
  return { kind: 'name', name, range }
}
