// The import rules of native-notes/architecture.md, checked: layers import to the left only, and each
// foreign library that is native, heavy or dangerous is loaded by one module.

import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { ENTRY_POINTS } from '../../src/entry.ts'

const SOURCE = join(import.meta.dirname, '..', '..', 'src')

/** From left to right; a row's layers do not see each other. */
const LAYERS = [
  ['errors', 'entry', 'node-version'],
  ['paths', 'amounts'],
  ['settings'],
  ['files'],
  ['config'],
  ['store'],
  ['pins', 'mount'],
  ['collector'],
  ['packages'],
  ['profiles'],
  ['registry'],
  ['install'],
  ['network'],
  ['daemon'],
  ['index'],
  ['cli'],
]

/** Library → the modules that may load it. */
const OWNERS: Record<string, RegExp> = {
  'better-sqlite3': /^store\/database\.ts$/,
  'proper-lockfile': /^files\/lock\.ts$/,
  'fuse-native': /^mount\//,
  'blockstore-fs': /^store\/blocks\/(blockstore|shards)\.ts$/,
  helia: /^network\/helia\.ts$/,
  '@helia/unixfs': /^packages\/graft\.ts$/,
  yargs: /^cli\//,
}

type Import = { from: string; to: string }

const files = globSync('**/*.ts', { cwd: SOURCE })
const imports: Import[] = files.flatMap((from) => {
  const text = readFileSync(join(SOURCE, from), 'utf8')
  const targets = text.matchAll(/(?:^(?:import|export)\s[^'"]*?from\s*|^import\s*|\bimport\(\s*)'([^']+)'/gm)
  return [...targets].map((match) => ({ from, to: match[1]! }))
})

const layerOf = (file: string) => file.split('/')[0]!.replace(/\.ts$/, '')
const rank = (layer: string) => LAYERS.findIndex((row) => row.includes(layer))

test('every source file belongs to a layer', () => {
  assert.deepEqual(
    [...new Set(files.map(layerOf))].filter((layer) => rank(layer) < 0),
    [],
  )
})

test('every process and thread has the file that it starts at', () => {
  const lacking = Object.values(ENTRY_POINTS).filter((file) => !existsSync(join(SOURCE, file)))
  assert.deepEqual(lacking, [])
})

test('imports go to the left', () => {
  assert.ok(imports.length > 100)
  const wrong = imports
    .filter(({ to }) => to.startsWith('.'))
    .map(({ from, to }) => ({ from, to: relative(SOURCE, join(SOURCE, dirname(from), to)) }))
    .filter(({ from, to }) => layerOf(from) !== layerOf(to) && rank(layerOf(from)) <= rank(layerOf(to)))
    .map(({ from, to }) => `${from} -> ${to}`)
  assert.deepEqual(wrong, [])
})

test('one module per foreign library', () => {
  const owner = (to: string) => Object.keys(OWNERS).find((name) => to === name || to.startsWith(`${name}/`))
  const wrong = imports
    .filter(({ from, to }) => owner(to) && !OWNERS[owner(to)!]!.test(from))
    .map(({ from, to }) => `${from} -> ${to}`)
  assert.deepEqual(wrong, [])
})

/** A factory and its product, which know each other. */
const PAIRS = [
  ['store/store.ts', 'store/add/add.ts'],
  ['store/upload/upload-store.ts', 'store/upload/session.ts'],
]

test('no circles between files, but for a factory and its product', () => {
  const isPair = (from: string, to: string) => PAIRS.some((pair) => pair.includes(from) && pair.includes(to))
  const targets = new Map<string, string[]>(files.map((file) => [file, []]))
  for (const { from, to } of imports) {
    const target = relative(SOURCE, join(SOURCE, dirname(from), to))
    if (targets.has(target) && !isPair(from, target)) targets.get(from)?.push(target)
  }
  const done = new Set<string>()
  const circles: string[] = []
  const walk = (file: string, way: readonly string[]): void => {
    if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file].join(' -> '))
    if (way.includes(file) || done.has(file)) return
    for (const target of targets.get(file) ?? []) walk(target, [...way, file])
    done.add(file)
  }
  for (const file of files) walk(file, [])
  assert.deepEqual(circles, [])
})
