// A process of its own that changes a profile: child.ts <prefix> <user> install <cid>… | rollback
// It installs the packages at once, each by a change of its own.

import { readManifest } from '../../src/packages/package.ts'
import { changeProfile } from '../../src/profiles/change.ts'
import { installedPackage } from '../../src/profiles/installed.ts'
import { withPackages } from '../../src/profiles/operations.ts'
import { openProfile } from '../../src/profiles/profile.ts'
import { rollback } from '../../src/profiles/switch.ts'
import { parseCid } from '../../src/store/cid.ts'
import { Store } from '../../src/store/store.ts'

const [prefix = '', user = '', verb, ...cids] = process.argv.slice(2)
const store = Store.open(prefix)
const profile = openProfile(store, { user })

if (verb === 'rollback') await rollback(profile)
else {
  const packages = cids.map(parseCid).map((cid) => installedPackage(readManifest(store.blocks, cid), cid))
  const install = (one: (typeof packages)[number]) =>
    changeProfile(profile, (installed) => withPackages(installed, [one]), { action: 'install' })
  await Promise.all(packages.map(install))
}
store.close()
