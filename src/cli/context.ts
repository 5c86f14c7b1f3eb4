// What a command works with: the prefix, the store (opened when first asked for,
// closed by main), a signal that Ctrl-C aborts, and ways to speak to the person.

import { mayWrite } from '../files/modes.ts'
import type { PrefixPaths } from '../paths.ts'
import type { Profile, ProfileStore } from '../profiles/profile.ts'
import type { Store } from '../store/store.ts'
import type { Progress } from './show/progress.ts'
import type { Signals } from './signals.ts'

/** Options that every command takes. */
export type GlobalOptions = {
  prefix?: string
  profile?: string
  json?: boolean
  quiet?: boolean
}

/**
 * What a store is opened for. `read`: it has to be there; `change`: this user has to be
 * able to add to it as well, itself or through its daemon; `add`: it is made where none is.
 */
export type Purpose = 'read' | 'change' | 'add'

type Surroundings = {
  paths: PrefixPaths
  env: NodeJS.ProcessEnv
  /** the profile that `--profile` names; undefined: the user's own */
  profilePath: string | undefined
  quiet: boolean
  json: boolean
  signals: Signals
  progress: Progress
  /** A remark, shown on standard error after the result; silent under --quiet and --json. */
  note(text: string): void
}

export type Context = Readonly<Surroundings> & {
  /** aborted by SIGINT, SIGTERM and SIGHUP */
  readonly signal: AbortSignal
  /** The store, to be read unless it says otherwise. Throws as `Store.open` and `Store.openExisting`. */
  openStore(purpose?: Purpose): Promise<Store>
  /** the profile, to be changed unless it says otherwise */
  openProfile(purpose?: Purpose): Promise<Profile>
  /** the profile, to be read and switched: makes no prefix and loads no database */
  readProfile(): Promise<Profile<ProfileStore>>
  /** Runs `fn` when the command has ended, whatever became of it; the last one first. */
  defer(fn: () => void | Promise<void>): void
}

/** A context, and the function that closes what was opened through it. */
export function createContext(surroundings: Surroundings): { context: Context; close(): Promise<void> } {
  const deferred: (() => void | Promise<void>)[] = []
  let store: Promise<Store> | undefined
  const context: Context = {
    ...surroundings,
    signal: surroundings.signals.signal,
    defer: (fn) => void deferred.push(fn),
    openStore(purpose = 'read') {
      store ??= openStore(context, purpose)
      return store
    },
    async openProfile(purpose = 'change') {
      const { profilePath: path } = surroundings
      const { openProfile } = await import('../profiles/profile.ts')
      if (path !== undefined) (await import('./own-profile.ts')).requireProfileOrEmpty(path)
      return openProfile(await context.openStore(purpose), { path })
    },
    async readProfile() {
      const [{ openProfile }, { Blocks }, { requirePrefix }] = await Promise.all([
        import('../profiles/profile.ts'),
        import('../store/blocks/blocks.ts'),
        import('../store/prefix.ts'),
      ])
      const { paths, profilePath } = surroundings
      requirePrefix(paths)
      const makeCheckouts = mayWrite(paths.blocks)
        ? undefined
        : async (...wanted: Parameters<NonNullable<ProfileStore['makeCheckouts']>>) =>
            (await import('../daemon/client/checkout.ts')).makeCheckouts(paths, ...wanted)
      return openProfile({ paths, blocks: new Blocks(paths), makeCheckouts }, { path: profilePath })
    },
  }
  return {
    context,
    async close() {
      for (const fn of deferred.splice(0).reverse()) await fn()
    },
  }
}

async function openStore(
  { paths, signals, progress, note, defer }: Surroundings & Pick<Context, 'defer'>,
  purpose: Purpose,
): Promise<Store> {
  const store = await (purpose === 'read' ? openToRead() : openToAdd())
  defer(() => store.close())
  if (purpose !== 'read')
    (await import('./show/recheck-progress.ts')).showRecheck(store, { progress, note, defer })
  return store

  async function openToRead(): Promise<Store> {
    const { Store } = await import('../store/store.ts')
    return Store.openExisting(paths.root)
  }

  async function openToAdd(): Promise<Store> {
    const { openStore } = await import('../daemon/client/open-store.ts')
    const task = progress.task('Uploading')
    defer(task.end)
    return openStore(paths, {
      create: purpose === 'add',
      signal: signals.signal,
      onProgress: ({ bytes, totalBytes }) => task.update({ done: bytes, total: totalBytes }),
    })
  }
}
