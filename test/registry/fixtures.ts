// Registries for tests: records that need no packages, and DAGs of many of them.

import type { TestContext } from 'node:test'
import type { PackageRecord, VersionRecord } from '../../src/registry/record.ts'
import { AddSession } from '../../src/store/add/add.ts'
import { Store } from '../../src/store/store.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

/** A CID of nothing that any of these stores holds. */
export const ABSENT = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'

export async function openTestStore(
  t: TestContext,
): Promise<{ store: Store; add: AddSession; directory: string }> {
  const directory = await temporaryDirectory(t)
  const store = Store.open(`${directory}/prefix`)
  const add = new AddSession(store)
  t.after(() => {
    add.close()
    store.close()
  })
  return { store, add, directory }
}

export function recordOf(
  name: string,
  versions: string[] = ['1.0.0'],
  description = `about ${name}`,
): PackageRecord {
  return { format: 1, name, description, versions: versions.map(versionRecord) }
}

function versionRecord(version: string): VersionRecord {
  return {
    version,
    published: '2026-01-02T03:04:05.000Z',
    platforms: [{ cid: ABSENT, size: 1, programs: ['x'] }],
  }
}
