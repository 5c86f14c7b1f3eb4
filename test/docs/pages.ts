// The pages: README.md and the manual in native-notes/, taken apart.

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '..', '..')
export const README = 'README.md'
export const MANUAL = globSync('native-notes/*.md', { cwd: ROOT }).sort()

export const textOf = (page: string) => readFileSync(join(ROOT, page), 'utf8')

/** The lines of code blocks, which are indented, without their comments; of one section, or of the whole page. */
export function codeLines(page: string, section?: string): string[] {
  const lines = textOf(page).split('\n')
  const start = section === undefined ? 0 : lines.indexOf(`## ${section}`)
  if (start < 0) throw new Error(`${page} has no section "${section}"`)
  const length = lines.slice(start + 1).findIndex((line) => line.startsWith('## '))
  const end = section === undefined || length < 0 ? lines.length : start + 1 + length
  return lines
    .slice(start, end)
    .filter((line) => line.startsWith('    '))
    .map((line) => line.trim().replace(/\s{2,}#.*$/, ''))
}

/** What stands between backquotes on one line. */
export function inlineCode(page: string): string[] {
  return Array.from(textOf(page).matchAll(/`([^`\n]+)`/g), ([, code]) => code ?? '')
}

/** Targets of links, as they are written. */
export function links(page: string): string[] {
  return Array.from(textOf(page).matchAll(/\]\(([^)\s]+)\)/g), ([, target]) => target ?? '')
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchors(page: string): string[] {
  return Array.from(textOf(page).matchAll(/^#+ (.*)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
