// What a root is called where people read it.

import type { Root } from './root.ts'

type Described = Pick<Root, 'kind' | 'name' | 'path' | 'profile' | 'number' | 'current'>

/** `pin backup`, `generation 3 of …`; may hold what a user typed: show it `printable`. */
export function describeRoot({ kind, name, path, profile, number, current }: Described): string {
  if (profile !== undefined && number !== undefined) {
    return `generation ${number} of ${profile}${current ? ' (current)' : ''}`
  }
  if (kind === 'pin') return `pin ${name}`
  if (kind === 'auto') return `link ${path} (pin ${name})`
  if (kind === 'temp') return `${name}, which is adding or running it`
  return `running process ${name}`
}
