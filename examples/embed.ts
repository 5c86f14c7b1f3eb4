// The library in a program: packs a directory, installs it into a profile of its
// own, and says where its programs are. No daemon and no mount are needed for that.
//
//   node_modules/.bin/node examples/embed.ts /tmp/prefix /tmp/profile examples/hello
//
// The directory has a manifest, `.pkg/manifest.json`. Installed from npm the import is from 'ipfs-pkg'.

import {
  addPin,
  installPackages,
  openProfile,
  PkgError,
  packDirectory,
  Store,
  storePath,
} from '../src/index.ts'

const [prefix, profilePath, directory] = process.argv.slice(2)
if (!prefix || !profilePath || !directory) {
  console.error('usage: embed.ts <prefix> <profile> <directory>')
  process.exit(2)
}

const store = Store.open(prefix)
try {
  const { cid, manifest } = await packDirectory(store, directory, {
    // Until this returns a temp pin protects what was packed; a pin does afterwards.
    keep: async ({ cid, manifest }) => {
      await addPin(store, { prog: manifest.name, cid })
    },
  })
  const profile = openProfile(store, { path: profilePath })
  const { generation, changes } = await installPackages(profile, [cid.toString()])
  console.log(`generation ${generation}: ${changes.map(({ kind, name }) => `${kind} ${name}`).join(', ')}`)
  for (const program of manifest.programs) console.log(storePath(store.paths, cid, 'bin', program))
} catch (error) {
  if (!(error instanceof PkgError)) throw error
  console.error(`${error.code}: ${error.message}${error.hint ? `\n${error.hint}` : ''}`)
  process.exitCode = 1
} finally {
  store.close()
}
