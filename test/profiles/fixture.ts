// Builders: a store in a temp prefix, packages of declared files in it, and a look at an environment's links
// through the store's reading side (no mount).

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { packDirectory } from '../../src/packages/pack.ts'
import { type InstalledPackage, type InstallOptions, installedPackage } from '../../src/profiles/installed.ts'
import type { BlockGetter } from '../../src/store/blocks/blocks.ts'
import type { CID } from '../../src/store/cid.ts'
import { Store } from '../../src/store/store.ts'
import { list } from '../../src/store/unixfs/directory.ts'
import { decodeNode } from '../../src/store/unixfs/node.ts'
import { type Owner, temporaryDirectory } from '../helpers/temp.ts'

/** Path -> content; executable when the path is below bin/; `-> target` is a symlink. */
export type Files = Record<string, string>

export async function temporaryStore(owner: Owner): Promise<{ store: Store; directory: string }> {
  const directory = await temporaryDirectory(owner)
  const store = Store.open(join(directory, 'prefix'))
  owner.after(() => store.close())
  return { store, directory }
}

export function writeFiles(directory: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    const file = join(directory, path)
    mkdirSync(dirname(file), { recursive: true })
    if (content.startsWith('-> ')) symlinkSync(content.slice(3), file)
    else writeFileSync(file, content, { mode: path.startsWith('bin/') ? 0o755 : 0o644 })
  }
}

let made = 0

/** Packs `files` as `name@version` and gives what a profile takes. */
export async function createPackage(
  { store, directory }: { store: Store; directory: string },
  as: string,
  { files, ...options }: InstallOptions & { files?: Files } = {},
): Promise<InstalledPackage> {
  const source = join(directory, `source-${made++}`)
  const [name = ''] = as.split('@')
  writeFiles(source, files ?? { [`bin/${name}`]: `#!/bin/sh\necho ${as}\n` })
  const { manifest, cid } = await packDirectory(store, source, { as })
  return installedPackage(manifest, cid, options)
}

/** All paths of an environment but packages/ and environment.json: a symlink's target, or '/' for a directory. */
export function environmentShape(blocks: BlockGetter, environment: CID): Record<string, string> {
  const shape: Record<string, string> = {}
  const visit = (cid: CID, path: string) => {
    for (const entry of list(blocks, cid)) {
      const at = path === '' ? entry.name : `${path}/${entry.name}`
      if (at === 'packages' || at === 'environment.json') continue
      const node = decodeNode(entry.cid, blocks.get(entry.cid))
      if (node.type === 'symlink') shape[at] = node.target
      else {
        shape[at] = node.type === 'directory' ? '/' : node.type
        visit(entry.cid, at)
      }
    }
  }
  visit(environment, '')
  return shape
}
