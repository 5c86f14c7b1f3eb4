// What a root is called where people read it: said the same way everywhere.

export { describeRoot } from '../pins/describe-root.ts'
