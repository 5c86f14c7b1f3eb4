// The table of all commands: help, completion and dispatch read it. A command's
// module is loaded only when it is the one that was asked for.

import type { Command } from './command.ts'

export type Entry = {
  /** the words of the command and its arguments, as yargs writes them */
  usage: string
  about: string
  /** a module that exports the command as `command` */
  load(): Promise<object>
}

const entry = (usage: string, about: string, load: Entry['load']): Entry => ({ usage, about, load })

/** Sections of the root help in their order, and their commands. */
export const SECTIONS: Readonly<Record<string, readonly Entry[]>> = {
  'Install and run': [
    entry(
      'install <package..>',
      'Install packages by name, name@version, CID or path',
      () => import('./commands/install.ts'),
    ),
    entry('remove <package..>', 'Remove packages', () => import('./commands/remove.ts')),
    entry('upgrade [package..]', 'Upgrade some packages, or all', () => import('./commands/upgrade.ts')),
    entry(
      'outdated [package..]',
      'List what is not the newest that there is',
      () => import('./commands/outdated.ts'),
    ),
    entry('run <package>', 'Run a program without installing it', () => import('./commands/run.ts')),
    entry(
      'search [text..]',
      'Search the registries by name, description and program',
      () => import('./commands/search.ts'),
    ),
    entry('info <package>', 'Show what is known of a package', () => import('./commands/info.ts')),
  ],
  'The profile and its generations': [
    entry('list [pattern]', 'List the installed packages', () => import('./commands/list.ts')),
    entry(
      'which <program>',
      'Show where an installed program comes from',
      () => import('./commands/which.ts'),
    ),
    entry('history', 'List the generations and what changed', () => import('./commands/history.ts')),
    entry('diff [from] [to]', 'Compare two generations', () => import('./commands/diff.ts')),
    entry('rollback', 'Go back to the generation you came from', () => import('./commands/rollback.ts')),
    entry('switch <generation>', 'Make a generation the current one', () => import('./commands/switch.ts')),
  ],
  'Make and publish packages': [
    entry('pack [directory]', 'Make a package of a directory', () => import('./commands/pack.ts')),
    entry('publish <package>', 'Enter a package into a registry', () => import('./commands/publish.ts')),
    entry('unpublish <package>', 'Take a version out of a registry', () => import('./commands/unpublish.ts')),
    entry(
      'registry create <directory>',
      'Make an empty registry',
      () => import('./commands/registry-create.ts'),
    ),
    entry(
      'registry add <name> <source>',
      'Subscribe to a registry',
      () => import('./commands/registry-add.ts'),
    ),
    entry(
      'registry update [name..]',
      'Take the newest state of the registries',
      () => import('./commands/registry-update.ts'),
    ),
    entry(
      'registry remove <name>',
      'Unsubscribe from a registry',
      () => import('./commands/registry-remove.ts'),
    ),
    entry('registry list', 'List the registries', () => import('./commands/registry-list.ts')),
  ],
  'The store': [
    entry('gc', 'Delete what nothing keeps alive', () => import('./commands/gc.ts')),
    entry('du', 'Show what takes the room, and what is shared', () => import('./commands/du.ts')),
    entry('why <target>', 'Show what keeps a package or CID alive', () => import('./commands/why.ts')),
    entry('roots list', 'List what keeps things alive', () => import('./commands/roots-list.ts')),
    entry('roots drop [root..]', 'Stop keeping something alive', () => import('./commands/roots-drop.ts')),
    entry('pin add <name> <cid>', 'Keep a DAG alive', () => import('./commands/pin-add.ts')),
    entry('pin remove <name> [cid]', 'Stop keeping it alive', () => import('./commands/pin-remove.ts')),
    entry('pin list', 'List the pins', () => import('./commands/pin-list.ts')),
    entry('store add <path>', 'Add a file or directory', () => import('./commands/store-add.ts')),
    entry(
      'store get <cid> [destination]',
      'Write a DAG out as real files',
      () => import('./commands/store-get.ts'),
    ),
    entry(
      'store checkout <cid>',
      'Make its real tree, where nothing is mounted',
      () => import('./commands/store-checkout.ts'),
    ),
    entry('store ls <cid>', 'List a directory', () => import('./commands/store-ls.ts')),
    entry('store cat <cid>', 'Write a file to standard output', () => import('./commands/store-cat.ts')),
    entry(
      'store stat <cid>',
      'Show type, sizes and number of blocks',
      () => import('./commands/store-stat.ts'),
    ),
    entry(
      'store export <cid> [file]',
      'Write a DAG as a CAR file',
      () => import('./commands/store-export.ts'),
    ),
    entry('store import <file>', 'Read a CAR file', () => import('./commands/store-import.ts')),
    entry('store verify', 'Check the hash of every block', () => import('./commands/store-verify.ts')),
    entry(
      'store reindex',
      'Build the link index again from the blocks',
      () => import('./commands/store-reindex.ts'),
    ),
  ],
  'This machine': [
    entry('init', 'Set up: prefix, profile, mount, PATH', () => import('./commands/init.ts')),
    entry(
      'leave',
      'Take away all that pkg made for you on this machine',
      () => import('./commands/leave.ts'),
    ),
    entry('doctor', 'Find what is missing on this machine', () => import('./commands/doctor.ts')),
    entry('daemon start', 'Start the daemon and mount the store', () => import('./commands/daemon-start.ts')),
    entry('daemon stop', 'Unmount the store and stop the daemon', () => import('./commands/daemon-stop.ts')),
    entry(
      'daemon restart',
      'Start another daemon; the mount stays',
      () => import('./commands/daemon-restart.ts'),
    ),
    entry(
      'daemon status',
      'Show what the daemon and the mount do',
      () => import('./commands/daemon-status.ts'),
    ),
    entry('daemon logs', 'Show the daemon’s log', () => import('./commands/daemon-logs.ts')),
    entry(
      'completion <shell>',
      'Print completion for bash, zsh or fish',
      () => import('./commands/completion.ts'),
    ),
  ],
}

export const COMMANDS: readonly Entry[] = Object.values(SECTIONS).flat()

/** A table that holds nothing but its rows: `constructor` is a word that somebody may type. */
function byWord<T>(rows: Record<string, T>): Readonly<Record<string, T>> {
  return Object.assign(Object.create(null), rows)
}

/** What is said of a word that only groups commands. */
export const GROUPS: Readonly<Record<string, string>> = byWord({
  registry: 'Make registries and subscribe to them',
  roots: 'All that keeps DAGs alive',
  pin: 'Keep DAGs alive',
  store: 'Add, read and check blocks',
  daemon: 'Start and stop the process behind the mount',
})

/** What a group alone stands for, where that is plain. */
export const BARE_GROUPS: Readonly<Record<string, string>> = byWord({ roots: 'list' })

/** Other words for a command, as other tools have them. */
export const ALIASES: Readonly<Record<string, string>> = byWord({
  uninstall: 'remove',
  rm: 'remove',
  ls: 'list',
  'roots ls': 'list',
  'roots rm': 'drop',
  'pin rm': 'remove',
  'pin ls': 'list',
  'registry rm': 'remove',
  'registry ls': 'list',
})

/** Words that other tools use for what is told apart here. */
export const AMBIGUOUS: Readonly<Record<string, readonly string[]>> = byWord({
  update: ['upgrade', 'registry update'],
})

/** The words that name a command: `store add` of `store add <path>`. */
export function wordsOf({ usage }: Pick<Entry, 'usage'>): string {
  return usage.replace(/ [<[].*/, '')
}

export async function loadCommand(entry: Entry): Promise<Command<never, never>> {
  const module = (await entry.load()) as { command: Command<never, never> }
  return module.command
}
