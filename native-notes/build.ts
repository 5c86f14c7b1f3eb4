// Builds the product: every entry point as a bundle with shared chunks in dist/,
// and the library's type declarations in dist/types/. Start-up time is what it
// is for: one file to read for a command instead of hundreds.
//
//   node native-notes/build.ts [--outdir DIR] [--no-types]

import { execFile } from 'node:child_process'
import { rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { build } from 'esbuild'
import { ENTRY_POINTS } from '../src/entry.ts'

/** What cannot be part of a bundle: packages that load a binary of their own. See node.md. */
const EXTERNAL = ['fuse-native', 'better-sqlite3']

/** CommonJS inside an ES module: what it requires of Node is there only through this. */
const REQUIRE =
  "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);"

const root = fileURLToPath(new URL('..', import.meta.url))

async function bundle(outdir: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: Object.entries(ENTRY_POINTS).map(([out, source]) => ({ in: join('src', source), out })),
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    external: EXTERNAL,
    // Whitespace and syntax only: names stay, so that a stack trace can be read.
    minifyWhitespace: true,
    minifySyntax: true,
    keepNames: false,
    legalComments: 'none',
    chunkNames: 'chunk-[hash]',
    banner: { js: REQUIRE },
    logLevel: 'warning',
  })
}

async function declarations(outdir: string): Promise<void> {
  // Beside `node`, whose bin link is this package's: the compiler is a script for it.
  const compiler = join(
    dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
    'bin',
    'tsc',
  )
  const flags = [
    '--noEmit',
    'false',
    '--declaration',
    '--emitDeclarationOnly',
    '--allowImportingTsExtensions',
    'false',
  ]
  const args = [
    ...flags,
    '--rootDir',
    'src',
    '--outDir',
    join(outdir, 'types'),
    join('src', ENTRY_POINTS.index),
  ]
  await promisify(execFile)(process.execPath, [compiler, ...args], { cwd: root })
}

const { values } = parseArgs({
  options: { outdir: { type: 'string', default: 'dist' }, 'no-types': { type: 'boolean', default: false } },
})
const outdir = resolve(root, values.outdir)
// Built beside and renamed: a build that is cut short leaves the old product whole.
const fresh = `${outdir}.new`
await rm(fresh, { recursive: true, force: true })
await bundle(fresh)
if (!values['no-types']) await declarations(fresh)
await rm(outdir, { recursive: true, force: true })
await rename(fresh, outdir)
