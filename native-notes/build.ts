// Builds the product: one file for every entry point in dist/, and the types of
// the library in dist/types/. Start-up time is what it is for (node.md): a
// command reads two files, and evaluates of them only what it uses.
//
//   node native-notes/build.ts [--outdir DIR] [--no-types]

import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { builtinModules, createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { build, type Plugin } from 'esbuild'
import packageJson from '../package.json' with { type: 'json' }
import { manualPages } from '../src/cli/words/manual.ts'
import { ENTRY_POINTS } from '../src/entry.ts'
import { requireNode } from '../src/node-version.ts'

/** Packages that load a binary of their own, which no bundle can hold. */
const NATIVE = ['fuse-native', 'better-sqlite3']

/** CommonJS inside an ES module finds what is not in the bundle only through this. */
const REQUIRE =
  "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);"

/** First of all, and on lines of its own: Node shows the line that throws. */
const CHECK = `(${requireNode})();`

/** The first file of `pkg`. */
const START = '/cli/start.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Loads Node's own modules and the native packages when the module that imports
 * them is evaluated. As imports of the bundle they would all be loaded at its
 * start: an HTTP server and a database for `pkg list`.
 */
const late: Plugin = {
  name: 'late',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /.*/ }, ({ path, namespace, importer }) => {
      // What the first file imports it needs at once.
      if (namespace === 'late' || (path.startsWith('node:') && importer.endsWith(START))) {
        return { path, external: true }
      }
      if (path.startsWith('node:') || builtinModules.includes(path)) {
        return { path: path.replace(/^(node:)?/, 'node:'), namespace: 'late' }
      }
      return NATIVE.includes(path) ? { path, namespace: 'late' } : undefined
    })
    onLoad({ filter: /.*/, namespace: 'late' }, ({ path }) => {
      const load = path.startsWith('node:') ? 'process.getBuiltinModule' : 'require'
      return { contents: `module.exports = ${load}(${JSON.stringify(path)})` }
    })
  },
}

/**
 * `start.ts` loads the command line as a file of its own: the compile cache, which
 * it turns on, works for files that are loaded afterwards.
 */
const separateCommandLine: Plugin = {
  name: 'separate-command-line',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/main\.ts$/ }, ({ importer }) =>
      importer.endsWith(START) ? { path: './cli.js', external: true } : undefined,
    )
  },
}

/**
 * The widths of wide characters cost yargs 20 ms at every start (Intl.Segmenter
 * loads its data). Our help has none: there the number of characters is the width.
 */
const plainWidths: Plugin = {
  name: 'plain-widths',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^string-width$/ }, () => ({ path: 'string-width', namespace: 'plain' }))
    onLoad({ filter: /.*/, namespace: 'plain' }, () => ({
      contents: `import { stripVTControlCharacters } from 'node:util'
        export default (text) => [...stripVTControlCharacters(text)].length`,
      resolveDir: root,
    }))
  },
}

async function bundles(outdir: string): Promise<void> {
  const sources = { ...ENTRY_POINTS, cli: 'cli/main.ts' }
  await build({
    absWorkingDir: root,
    entryPoints: Object.entries(sources).map(([out, source]) => ({ in: join('src', source), out })),
    outdir,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    plugins: [separateCommandLine, plainWidths, late],
    // Names stay, so that a stack trace can be read.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    banner: { js: `${REQUIRE}\n${CHECK}` },
    logLevel: 'warning',
  })
}

/** The binding and the libfuse that fuse-native ships, where src/mount/native-files.ts looks first: see node.md. */
async function fuseNative(outdir: string): Promise<void> {
  const from = dirname(createRequire(import.meta.url).resolve('fuse-native/package.json'))
  for (const platform of (await readdir(join(from, 'prebuilds'))).filter((name) =>
    name.startsWith('linux-'),
  )) {
    for (const file of ['node.napi.node', 'libfuse.so']) {
      const path = join('prebuilds', platform, file)
      await cp(join(from, path), join(outdir, 'fuse-native', path))
    }
  }
  // It names the version, the authors and the licence.
  await cp(join(from, 'package.json'), join(outdir, 'fuse-native', 'package.json'))
}

/** Of what the library exports and all that this names, and nothing else: the project's own configuration has the tests too. */
async function declarations(outdir: string): Promise<void> {
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  const project = join(outdir, 'tsconfig.json')
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: join(root, 'src'),
    outDir: join(outdir, 'types'),
    typeRoots: [join(root, 'node_modules/@types')],
  }
  const files = [join(root, 'src', ENTRY_POINTS.index)]
  await writeFile(
    project,
    JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, files, include: [] }),
  )
  await promisify(execFile)(process.execPath, [compiler, '-p', project])
  await rm(project)
  await allowAbsent(join(outdir, 'types'))
}

/**
 * Who uses the library need not have what it holds in its bundle: a type out of a package that is no
 * dependency is `any` there, and no error. Where the package is installed (helia) it is its own.
 */
async function allowAbsent(types: string): Promise<void> {
  for (const file of await readdir(types, { recursive: true })) {
    if (!file.endsWith('.d.ts')) continue
    const path = join(types, file)
    const text = await readFile(path, 'utf8')
    const marked = text.replace(
      /^import .* from '(?!node:|[.])(@[^/']+\/[^/']+|[^/']+).*';$/gm,
      (line, name) => (name in packageJson.dependencies ? line : `// @ts-ignore: it may be absent\n${line}`),
    )
    if (marked !== text) await writeFile(path, marked)
  }
}

/** What `man pkg` shows; package.json names each. */
async function manual(outdir: string): Promise<void> {
  await mkdir(join(outdir, 'man'))
  for (const { file, text } of await manualPages(packageJson.version)) {
    await writeFile(join(outdir, 'man', file), text)
  }
}

const { values } = parseArgs({
  options: { outdir: { type: 'string', default: 'dist' }, 'no-types': { type: 'boolean', default: false } },
})
const outdir = resolve(root, values.outdir)
// Built beside and renamed: a build that is cut short leaves the old product whole.
const fresh = `${outdir}.new`
await rm(fresh, { recursive: true, force: true })
await bundles(fresh)
await fuseNative(fresh)
await manual(fresh)
if (!values['no-types']) await declarations(fresh)
await rm(outdir, { recursive: true, force: true })
await rename(fresh, outdir)
