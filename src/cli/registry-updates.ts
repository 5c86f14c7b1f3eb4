// What an update of the registries came to, in words and as records: shared by
// `registry update` and `upgrade`, which updates first.

import type { RegistryUpdate } from '../registry/update.ts'
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
