// Who calls, as the kernel knows it: each user has a socket of their own,
// `var/users/<uid>.sock`, theirs alone to connect to, in a directory that only
// root writes. What comes in there comes from that user (or root), whatever it says.
//
// Anybody may ask for anybody's socket and directories (`hello`): they become that
// user's, whoever asked. Nothing is kept over a restart: the next hello makes the
// sockets again.

import { readdirSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import { join } from 'node:path'
import { PkgError } from '../../errors.ts'
import { type Account, findAccount } from '../../files/accounts.ts'
import { ensurePrefixEntry } from '../../files/modes.ts'
import { type PrefixPaths, userSocket } from '../../paths.ts'
import { listenAt } from './listen.ts'
import { makeUserDirectories } from './user-directories.ts'

/** What POST /v1/hello?uid=N gives. */
export type Hello = { format: 1; uid: number; name: string; socket: string }

export type UserSocketsOptions = {
  /** the server for one user's socket; not listening yet */
  serverFor: (account: Account) => Server
  /** sockets at once; whose was not used for longest is closed, and may say hello again */
  max: () => number
}

export class UserSockets {
  readonly #paths: PrefixPaths
  readonly #options: UserSocketsOptions
  /** by uid; the one used last is the last */
  readonly #open = new Map<number, { account: Account; server: Server }>()
  readonly #opening = new Map<number, Promise<Account>>()

  constructor(paths: PrefixPaths, options: UserSocketsOptions) {
    this.#paths = paths
    this.#options = options
    ensurePrefixEntry(paths.userSockets)
    for (const name of readdirSync(paths.userSockets)) rmSync(join(paths.userSockets, name), { force: true })
  }

  /**
   * Makes the directories and the socket of the account with this uid, where they
   * are missing. Throws NOT_FOUND for a uid without an account, USAGE for none,
   * PERMISSION where its directory is somebody else's, BUSY.
   */
  async hello(uid: number): Promise<Hello> {
    let opening = this.#opening.get(uid)
    if (opening === undefined) {
      opening = this.#hello(uid).finally(() => this.#opening.delete(uid))
      this.#opening.set(uid, opening)
    }
    const { name } = await opening
    return { format: 1, uid, name, socket: userSocket(this.#paths, uid) }
  }

  /** Tells that the socket of this uid is in use. */
  touch(uid: number): void {
    const found = this.#open.get(uid)
    if (found === undefined) return
    this.#open.delete(uid)
    this.#open.set(uid, found)
  }

  close(): void {
    for (const uid of [...this.#open.keys()]) this.#close(uid)?.closeAllConnections()
  }

  async #hello(uid: number): Promise<Account> {
    const account = this.#open.get(uid)?.account ?? (await findAccount(uid))
    if (account === undefined) {
      throw new PkgError(
        'PERMISSION',
        `uid ${uid} has no account here, and so no place in ${this.#paths.root}`,
        {
          hint: 'Set PKG_PREFIX to a directory of your own.',
        },
      )
    }
    makeUserDirectories(this.#paths, account)
    if (this.#open.has(uid)) return account
    for (const oldest of this.#open.keys()) {
      if (this.#open.size < this.#options.max()) break
      this.#close(oldest)
    }
    // Somebody may have removed all of `var`: it holds nothing that lasts.
    ensurePrefixEntry(this.#paths.userSockets)
    const server = this.#options.serverFor(account)
    await listenAt(server, userSocket(this.#paths, uid), { mode: 0o600, uid, gid: account.gid })
    this.#open.set(uid, { account, server })
    return account
  }

  /** Nobody new connects; who is connected may finish. */
  #close(uid: number): Server | undefined {
    const server = this.#open.get(uid)?.server
    this.#open.delete(uid)
    server?.close()
    rmSync(userSocket(this.#paths, uid), { force: true })
    return server
  }
}
