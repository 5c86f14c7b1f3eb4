// What a user who leaves takes out of the home: the unit that starts the daemon at
// login, `~/.pkg-profile`, the compile cache, and the marked lines of shells. The lines
// are the last to go: one of them names the prefix to whoever goes on after a kill.
//
// Where `~/.pkg-profile` leads to a profile of another prefix, it and what goes with it
// stay: of the lines only the one that names this prefix goes.

import { existsSync, lstatSync, readFileSync, readlinkSync, rmdirSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import type { LeaveStep, Leaving } from '../../daemon/leave/leave-prefix.ts'
import { isErrno } from '../../errors.ts'
import { lookAtLink } from '../../files/atomic.ts'
import { namesIn, removeIfThere } from '../../files/directory.ts'
import { requireOwnPlace } from '../../files/own-place.ts'
import { type PrefixPaths, profileLink, shellWord, xdgDirectory } from '../../paths.ts'
import { removeTree } from '../../store/checkout/remove-tree.ts'
import { compiledCache } from '../compiled-cache.ts'
import { PATH_LINES, PREFIX_LINE, prefixLine, START_LINE, shellFiles } from './path-hint.ts'
import { MARK, ownLines, removeOwnLines } from './shell-file.ts'

type Where = { paths: Pick<PrefixPaths, 'root'>; env: NodeJS.ProcessEnv }

/** What is done before the prefix goes, and after it. As root: throws PERMISSION in another user's home. */
export function planLeavingHome(where: Where): {
  before: LeaveStep[]
  after: LeaveStep[]
  stays: Leaving['stays']
} {
  const { paths, env } = where
  const link = profileLink(env)
  requireOwnPlace(dirname(link))
  const other = otherPlace(where, link)
  if (other !== undefined) {
    const only = prefixLine(env, paths.root)
    return {
      before: units(where, paths.root),
      after: lines(env, (line) => line.startsWith(`${only} `) || startsDaemonOf(line, paths.root)),
      stays: [other],
    }
  }
  return {
    before: [...units(where, paths.root), ...(lookAtLink(link) === undefined ? [] : [profile(link)])],
    after: [...cache(env), ...lines(env, (line) => !isForAnother(line, env, paths.root))],
    stays: [],
  }
}

/** Why the link is to stay; undefined: it goes, or is not there. */
function otherPlace({ paths }: Where, link: string): Leaving['stays'][number] | undefined {
  const leads = lookAtLink(link)
  if (leads === undefined) return undefined
  if (leads === null) return { path: link, why: 'no link of pkg’s' }
  const target = resolve(dirname(link), leads)
  if (!relative(paths.root, target).startsWith('..')) return undefined
  const root = /^(.+)\/profiles\/per-user\/[^/]+\/current$/.exec(target)?.[1]
  const how = root === undefined ? '' : `: \`pkg leave --prefix ${shellWord(root)}\``
  return { path: link, why: `it leads to ${leads}${how}` }
}

function profile(link: string): LeaveStep {
  const run = () => {
    if (lookAtLink(link) !== null) removeIfThere(link)
  }
  return { name: 'link', what: 'profile link', path: link, run }
}

/** Units of systemd’s that bear our mark and name `text`, and the links that start them. */
function units({ env }: Where, text: string): LeaveStep[] {
  const directory = join(xdgDirectory(env, 'XDG_CONFIG_HOME', '.config'), 'systemd', 'user')
  return namesIn(directory, ['ENOTDIR', 'EACCES'])
    .filter((name) => name.endsWith('.service') && isOwnUnit(join(directory, name), text))
    .map((name) => {
      const path = join(directory, name)
      return { name: 'unit', what: 'start at login', path, run: () => removeUnit(path) }
    })
}

function isOwnUnit(file: string, text: string): boolean {
  if (!lstatSync(file, { throwIfNoEntry: false })?.isFile()) return false
  const unit = readFileSync(file, 'utf8')
  return unit.includes(text) && unit.split('\n').some((line) => line.endsWith(MARK))
}

/** The mark is in the unit: it goes last. */
function removeUnit(path: string): void {
  const directory = dirname(path)
  for (const wants of namesIn(directory).filter((name) => /\.(?:wants|requires)$/.test(name))) {
    const link = join(directory, wants, basename(path))
    if (lookAtLink(link) == null) continue
    if (basename(readlinkSync(link)) === basename(path)) removeIfThere(link)
  }
  removeIfThere(path)
}

function cache(env: NodeJS.ProcessEnv): LeaveStep[] {
  const { base = '', names = [] } = compiledCache(env) ?? {}
  const path = join(base, ...names)
  if (base === '' || !existsSync(path)) return []
  const run = async () => {
    await removeTree(path)
    try {
      rmdirSync(dirname(path))
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST')) throw error
    }
  }
  return [{ name: 'cache', what: 'compile cache', path, run }]
}

/** Another prefix of the user's is not left by leaving this one. */
function isForAnother(line: string, env: NodeJS.ProcessEnv, root: string): boolean {
  if (PREFIX_LINE.test(line)) return !line.startsWith(`${prefixLine(env, root)} `)
  return START_LINE.test(line) && !startsDaemonOf(line, root)
}

function startsDaemonOf(line: string, root: string): boolean {
  return START_LINE.test(line) && line.includes(` --prefix ${shellWord(root)} `)
}

function lines(env: NodeJS.ProcessEnv, such: (line: string) => boolean): LeaveStep[] {
  return shellFiles(env)
    .map((file) => ({ file, found: ownLines(file, PATH_LINES).filter(such) }))
    .filter(({ found }) => found.length > 0)
    .map(({ file, found }) => ({
      name: 'lines',
      what: found.length === 1 ? 'line in' : `${found.length} lines in`,
      path: file,
      run: () => removeOwnLines(file, PATH_LINES, such),
    }))
}
