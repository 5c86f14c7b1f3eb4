// The union of package trees, over trees that are declared here: text is a file with that content.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import { type TreeNode, type UnionPackage, unionOf } from '../../src/profiles/union.ts'

type Tree = { [name: string]: Tree | string }

const node = (tree: Tree | string): TreeNode => ({
  identity: () => JSON.stringify(tree),
  entries: () =>
    typeof tree === 'string'
      ? undefined
      : Object.entries(tree).map(([name, child]) => [name, node(child)] as const),
})

const pkg = (name: string, tree: Tree, priority = 0): UnionPackage => ({
  name,
  version: '1.0.0',
  cid: `cid-${name}`,
  priority,
  root: node(tree),
})

/** Path -> link, or '/' for a directory. */
const shape = (packages: UnionPackage[]) =>
  Object.fromEntries(unionOf(packages).map((entry) => [entry.path, 'link' in entry ? entry.link : '/']))

test('union: nothing is nothing', () => assert.deepEqual(unionOf([]), []))

test('union: bin is real for one package alone, other directories are one link', () => {
  assert.deepEqual(
    shape([pkg('a', { bin: { x: '1', sub: { y: '2' } }, share: { man: { man1: { 'x.1': '3' } } } })]),
    {
      bin: '/',
      'bin/x': '../../cid-a/bin/x',
      'bin/sub': '../../cid-a/bin/sub',
      share: '../cid-a/share',
    },
  )
})

test('union: a directory becomes real when a second package provides it, only as deep as needed', () => {
  const a = pkg('a', { share: { man: { man1: { 'a.1': '1' } }, a: { data: '2' } } })
  const b = pkg('b', { share: { man: { man1: { 'b.1': '3' } }, b: { data: '4' } } })
  assert.deepEqual(shape([a, b]), {
    share: '/',
    'share/a': '../../cid-a/share/a',
    'share/b': '../../cid-b/share/b',
    'share/man': '/',
    'share/man/man1': '/',
    'share/man/man1/a.1': '../../../../cid-a/share/man/man1/a.1',
    'share/man/man1/b.1': '../../../../cid-b/share/man/man1/b.1',
  })
})

test('union: only the shared directories of a package enter', () => {
  const tree = {
    '.pkg': { x: '1' },
    lib: { x: '1' },
    LICENSE: '1',
    README: '1',
    bin: 'a file',
    share: {},
    '.hidden': {},
  }
  assert.deepEqual(shape([pkg('a', tree)]), { share: '../cid-a/share' })
})

test('union: names in the shared directories are not chosen by their looks', () => {
  assert.deepEqual(shape([pkg('a', { bin: { '.x': '1', '.pkg': { y: '1' } } })]), {
    bin: '/',
    'bin/.x': '../../cid-a/bin/.x',
    'bin/.pkg': '../../cid-a/bin/.pkg',
  })
})

test('union: the same file in two packages is no conflict', () => {
  assert.deepEqual(shape([pkg('b', { bin: { x: '1' } }), pkg('a', { bin: { x: '1' } })]), {
    bin: '/',
    'bin/x': '../../cid-a/bin/x',
  })
})

test('union: the order of the packages makes no difference', () => {
  const packages = [
    pkg('a', { bin: { x: '1' }, share: { m: {} } }),
    pkg('b', { bin: { x: '1', y: '2' } }, 3),
    pkg('c', { share: { m: {} } }),
  ]
  assert.deepEqual(unionOf(packages), unionOf([...packages].reverse()))
})

test('union: a collision names both packages, the path, and how to choose', () => {
  const packages = [pkg('a', { bin: { x: '1', y: '1' } }), pkg('b', { bin: { x: '2', y: '2' } })]
  assert.throws(
    () => unionOf(packages),
    (error) =>
      hasCode(error, 'COLLISION') &&
      error.message === 'a@1.0.0 and b@1.0.0 both provide bin/x (and 1 more, such as bin/y)' &&
      /pkg install a@1.0.0 --priority 1 or pkg install b@1.0.0 --priority 1/.test(error.hint ?? ''),
  )
})

test('union: the higher priority wins, and its rivals may collide as they like', () => {
  const packages = [
    pkg('a', { bin: { x: '1' } }),
    pkg('b', { bin: { x: '2' } }),
    pkg('c', { bin: { x: '3' } }, 1),
  ]
  assert.deepEqual(shape(packages), { bin: '/', 'bin/x': '../../cid-c/bin/x' })
})

test('union: a file against a directory collides at equal priority', () => {
  const packages = [pkg('a', { share: { x: '1' } }), pkg('b', { share: { x: { y: '2' } } })]
  assert.throws(() => unionOf(packages), { code: 'COLLISION', message: /both provide share\/x$/ })
  assert.throws(() => unionOf([...packages].reverse()), { code: 'COLLISION' })
})

test('union: a file hides directories of lower priority, a directory hides files', () => {
  const file = pkg('f', { share: { x: '1' } }, 1)
  const first = pkg('a', { share: { x: { y: '2' } } })
  const second = pkg('b', { share: { x: { z: '3' } } }, 2)
  assert.deepEqual(shape([file, first]), { share: '/', 'share/x': '../../cid-f/share/x' })
  assert.deepEqual(shape([file, second]), { share: '/', 'share/x': '../../cid-b/share/x' })
  assert.deepEqual(shape([file, first, second]), {
    share: '/',
    'share/x': '/',
    'share/x/y': '../../../cid-a/share/x/y',
    'share/x/z': '../../../cid-b/share/x/z',
  })
})

test('union: an empty directory that two packages provide stays one', () => {
  assert.deepEqual(shape([pkg('a', { share: { d: {} } }), pkg('b', { share: { d: {} } })]), {
    share: '/',
    'share/d': '/',
  })
})

test('union: what one package alone provides is not looked into', () => {
  const closed: TreeNode = { identity: () => assert.fail('asked'), entries: () => assert.fail('asked') }
  const open = (name: string, child: TreeNode): TreeNode => ({ ...closed, entries: () => [[name, child]] })
  const [bin, share] = [open('x', closed), open('d', closed)]
  const root: TreeNode = { ...closed, entries: () => Object.entries({ bin, share }) }
  assert.equal(unionOf([{ ...pkg('a', {}), root }]).length, 3)
})

test('union: trees that repeat themselves without end are refused', () => {
  const deep: TreeNode = { identity: () => 'deep', entries: () => [['d', deep]] }
  const root: TreeNode = { identity: () => 'root', entries: () => [['share', deep]] }
  const packages = ['a', 'b'].map((name) => ({ ...pkg(name, {}), root }))
  assert.throws(() => unionOf(packages), { code: 'BAD_NODE' })
})
