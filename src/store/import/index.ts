// The door of the importer, for the layers to the right.

export { type ImportedTree, type ImportOptions, type ImportProgress, importTree } from './import-tree.ts'
export { buildTree, type TreeEntry } from './tree.ts'
