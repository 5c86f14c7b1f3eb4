// What an update of the registries came to, in words and as records: shared by
// `registry update`, and by `upgrade` and `outdated`, which update or look first.

import type { RegistryUpdate } from '../../registry/update.ts'
import type { CID } from '../../store/cid.ts'
import type { Store } from '../../store/store.ts'
import type { Context } from '../context.ts'
import { type ErrorReport, reportOf } from './report.ts'

export type UpdateRecord = Omit<RegistryUpdate, 'error'> & { error?: ErrorReport }

/** The entry that `--json` shows. */
export function updateRecord({ error, ...update }: RegistryUpdate): UpdateRecord {
  return error === undefined ? update : { ...update, error: reportOf(error) }
}

/** One line: the registry's name, why it was not updated, and what follows from that. Undefined when all is well. */
export function updateTrouble({ name, root, error }: UpdateRecord): string | undefined {
  if (error === undefined) return undefined
  const state = root === undefined ? '' : '; its last known state is used'
  return `${name}: ${error.message}${state}${error.hint === undefined ? '' : `. ${error.hint}`}`
}

/** The roots to look packages up in, by the registries' names. */
export type Updated = { registries: UpdateRecord[]; roots: Map<string, CID> }

/** A registry that cannot be updated is no reason not to go on with the others, and with what is known of it. */
export async function updateFirst(
  store: Store,
  { note }: Pick<Context, 'note'>,
  { dryRun = false } = {},
): Promise<Updated> {
  const { updateRegistry } = await import('../../registry/update.ts')
  const registries = (await updateRegistry(store, [], { dryRun })).map(updateRecord)
  for (const line of registries.map(updateTrouble)) if (line !== undefined) note(line)
  return {
    registries,
    roots: new Map(registries.flatMap(({ name, root }) => (root ? [[name, root] as const] : []))),
  }
}
