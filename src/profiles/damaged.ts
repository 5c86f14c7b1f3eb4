// A lost block told as what it belongs to: a package by its name, an environment by
// its generation, with what heals it. A CID alone tells nobody what to do.

import { hasCode, PkgError } from '../errors.ts'
import { shellWord } from '../paths.ts'
import type { BlockGetter } from '../store/blocks/blocks.ts'
import { missingBlocks } from '../store/links/closure.ts'
import type { Store } from '../store/store.ts'
import type { InstalledPackage } from './installed.ts'

const REPAIR = '`pkg store verify --repair --from <CAR, directory or prefix>`'

/** The same of an environment. */
export const ENVIRONMENT_HINT = `Go to another generation (\`pkg rollback\`, \`pkg switch\`) and install again what it lacks: the same packages make the same environment, which heals the damaged one. Or: ${REPAIR}`

type Loss = PkgError & { code: 'MISSING_BLOCK' | 'CORRUPT_BLOCK' | 'INCOMPLETE' }

export function isLoss(error: unknown): error is Loss {
  return hasCode(error, 'MISSING_BLOCK', 'CORRUPT_BLOCK', 'INCOMPLETE')
}

/** A package that is installed, or is to be. */
type Named = Pick<InstalledPackage, 'name' | 'version' | 'cid' | 'requested'>

/** What brings back the lost blocks of a package, and how to go on without it where it is installed. */
export function healHint({ name, requested }: Pick<Named, 'name' | 'requested'>, installed = true): string {
  const again = requested.startsWith('/')
    ? `\`pkg install ${shellWord(requested)}\` as the first time`
    : 'pack or import it again from where it came'
  const heal = `${installed ? 'Heal it' : 'Bring the rest'}: ${again}, or ${REPAIR}.`
  return installed ? `${heal} Or go on without it: \`pkg remove ${name}\`.` : heal
}

/** Throws MISSING_BLOCK or CORRUPT_BLOCK, naming the package, when the root block of one cannot be read. */
export function requireRoots(blocks: BlockGetter, packages: readonly InstalledPackage[]): void {
  for (const one of packages) {
    try {
      blocks.get(one.cid)
    } catch (cause) {
      throw isLoss(cause) ? damaged(one, cause.message, { cause }) : cause
    }
  }
}

/** Runs what needs these packages whole; what fails for a lost block of one of them names that one. */
export async function namingPackages<T>(
  store: Store,
  packages: readonly Named[],
  run: () => Promise<T>,
  { installed = true } = {},
): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    if (!isLoss(cause)) throw cause
    for (const one of packages) {
      const missing = missingBlocks(store, one.cid, 2)
      if (missing.length === 0) continue
      const which = `block ${missing[0]}${missing.length > 1 ? ' and others' : ''}`
      throw damaged(one, `${which} ${installed ? 'is lost' : 'is not in the store'}`, { cause, installed })
    }
    throw cause
  }
}

type Because = { cause: Loss; installed?: boolean }

function damaged(one: Named, why: string, { cause, installed }: Because): PkgError {
  return new PkgError(cause.code, `${one.name} ${one.version} is not whole here: ${why}`, {
    hint: healHint(one, installed),
    cause,
  })
}
