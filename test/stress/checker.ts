// An independent checker of a prefix: it shares no code with the store. It reads
// links and block files, and says what is wrong with them; nothing is written.
//
// Checked: every pin, auto pin, generation and `current` leads to a DAG whose
// blocks are all there with bytes that hash to their names. A link that goes while
// it is looked at promises nothing any more: it counts only when the very same
// link (its inode and its time of change) is there afterwards.

import { createHash } from 'node:crypto'
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { dagPbLinks, decodeBase32, encodeBase32 } from './dag-bytes.ts'

/** The violations found, one line each; none in a sound prefix. */
export function checkPrefix(prefix: string): string[] {
  const wrong: string[] = []
  const seen = new Set<string>()
  for (const { link, cid, identity } of rootsOf(prefix, wrong)) {
    const problems = checkDag(prefix, cid, seen)
    if (problems.length === 0) continue
    if (identityOf(link) !== identity) continue
    wrong.push(...problems.map((problem) => `${link}: ${problem}`))
  }
  return wrong
}

/** What is wrong with the blocks below `root`; those in `seen` were looked at already. */
export function checkDag(prefix: string, root: string, seen = new Set<string>()): string[] {
  const wrong: string[] = []
  const stack = [root]
  for (let text = stack.pop(); text !== undefined; text = stack.pop()) {
    if (seen.has(text)) continue
    const problem = readBlock(prefix, decodeBase32(text.slice(1)), stack)
    // Each root that needs a bad block shall say so.
    if (problem) wrong.push(`${text} ${problem}`)
    else seen.add(text)
  }
  return wrong
}

/** Every file below `blocks/` that is no block: by its name, its kind or its bytes. Only where nobody writes meanwhile. */
export function checkBlockFiles(prefix: string): string[] {
  const blocks = join(prefix, 'blocks')
  return names(blocks).flatMap((shard) => {
    if (!/\/[a-z2-7]{2}$/.test(shard)) return []
    return names(shard).flatMap((file) => {
      const name = file.slice(shard.length + 1)
      if (!/^b[a-z2-7]+$/.test(name) || !lstatSync(file).isFile()) return [`${file} is no block`]
      return readBlock(prefix, decodeBase32(name.slice(1)), []) ? [`${file} has other bytes`] : []
    })
  })
}

export function countBlocks(prefix: string): number {
  const shards = names(join(prefix, 'blocks')).filter((path) => /\/[a-z2-7]{2}$/.test(path))
  return shards.reduce((sum, shard) => sum + names(shard).length, 0)
}

/** What processes were killed in the middle of writing. */
export function leftovers(prefix: string): string[] {
  const users = names(join(prefix, 'profiles', 'per-user'))
  const directories = [
    ...names(join(prefix, 'pins', 'per-user')).flatMap(names),
    ...users,
    ...users.map((user) => join(user, 'generations')),
  ]
  const unfinished = directories.flatMap(names).filter((path) => /\/\.tmp-[^/]*$/.test(path))
  return [...names(join(prefix, 'blocks', 'tmp')), ...names(join(prefix, 'pins', 'temp')), ...unfinished]
}

type Root = { link: string; cid: string; identity: string | undefined }

function rootsOf(prefix: string, wrong: string[]): Root[] {
  const roots: Root[] = []
  const take = (link: string, target = readLink(link)) => {
    const identity = identityOf(link)
    if (target === undefined || identity === undefined) return
    const cid = target.match(/store\/(b[a-z2-7]+)$/)?.[1]
    if (cid) roots.push({ link, cid, identity })
    else wrong.push(`${link} -> ${target} leads to no CID`)
  }
  for (const user of names(join(prefix, 'pins', 'per-user'))) {
    for (const prog of names(user)) {
      for (const pin of finished(prog)) if (isLink(pin)) take(pin)
      for (const auto of finished(join(prog, 'auto'))) {
        const owned = isLink(auto) ? readLink(auto) : undefined
        if (owned !== undefined && isLink(owned)) take(owned, resolve(dirname(owned), readLink(owned) ?? ''))
      }
    }
  }
  for (const user of names(join(prefix, 'profiles', 'per-user'))) {
    for (const generation of names(join(user, 'generations'))) {
      if (/\/\d+$/.test(generation)) take(generation)
    }
    const current = join(user, 'current')
    const target = isLink(current) ? readLink(current) : undefined
    if (target === undefined || isLink(join(user, target))) continue
    if (readLink(current) === target) wrong.push(`${current} -> ${target}, which is not there`)
  }
  return roots
}

/** The links, but for those that are not in their place yet. */
const finished = (directory: string) => names(directory).filter((path) => !/\/\.tmp-[^/]*$/.test(path))

/** Which link this is: another one of the same name has another inode, or was changed at another time. */
function identityOf(link: string): string | undefined {
  const stats = lstatSync(link, { bigint: true, throwIfNoEntry: false })
  return stats && `${stats.ino} ${stats.ctimeNs}`
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    // It went meanwhile, or is none.
    return undefined
  }
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory).map((name) => join(directory, name))
  } catch {
    // Not there, or no directory.
    return []
  }
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
}

/** Pushes the CIDs that the block links to; gives what is wrong with it. CIDs are v1 with sha2-256, as ours all are. */
function readBlock(prefix: string, cid: Buffer, links: string[]): string | undefined {
  const codec = cid[1]
  const multihash = cid.subarray(2)
  const name = `b${encodeBase32(Buffer.concat([Buffer.from([1, 0x55]), multihash]))}`
  const file = join(prefix, 'blocks', name.slice(-3, -1), name)
  if (!existsSync(file)) return 'is missing'
  const bytes = readOrNothing(file)
  if (bytes === undefined) return 'is missing'
  const digest = createHash('sha256').update(bytes).digest()
  if (!digest.equals(multihash.subarray(2))) return 'has other bytes'
  if (codec === 0x70) for (const link of dagPbLinks(bytes)) links.push(`b${encodeBase32(link)}`)
  return undefined
}

function readOrNothing(file: string): Buffer | undefined {
  try {
    return readFileSync(file)
  } catch {
    // It went between two looks: it is not there.
    return undefined
  }
}
