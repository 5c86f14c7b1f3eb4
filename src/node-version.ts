// Which Node runs the product: `engines` of package.json in code. The build puts the
// check at the top of the library, before anything that an older one fails at.

/**
 * Throws one sentence where this Node is none of them: an older 22 crashes in the database's binding, 20 lacks what
 * Helia needs, and nobody maintains 23. Uses nothing from outside itself: the build takes its text.
 */
export function requireNode(version: string = process.versions.node): void {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major >= 24 || (major === 22 && minor >= 18)) return
  throw new Error(`ipfs-pkg needs Node.js 22.18 or later of 22, or 24 or later; this is ${version}`)
}
