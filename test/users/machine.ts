// A machine with a prefix of root's, its daemon's API, and users who may not write it. The users are real uids;
// their accounts are in a copy of /etc/passwd that only the daemon's process sees (a mount namespace of its own).

import { type ChildProcess, type ChildProcessByStdio, fork, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { type PrefixPaths, userSocket } from '../../src/paths.ts'
import { Store } from '../../src/store/store.ts'
import { type Owner, temporaryDirectory } from '../helpers/temp.ts'
import type { Answer, Order } from './agent.ts'

/** Far from what a machine gives to people. */
export const ALICE = 64_001
export const EVE = 64_002
export const NO_ACCOUNT = 64_009

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url))

/** For a test's `skip`: why no several users can be had here, or false. */
export const WITHOUT_USERS: string | false = obstacle()

function obstacle(): string | false {
  if (process.getuid?.() !== 0) return 'only root can act as several users'
  const reads = spawnSync(process.execPath, [file('agent.ts')], { uid: EVE, gid: EVE })
  if (reads.status !== 0) return 'other users cannot read this checkout'
  const spaces = spawnSync('unshare', ['-m', 'true'])
  return spaces.status === 0 ? false : 'no mount namespace can be made here'
}

export type Reply = {
  status: number
  body: string
  lines: { type: string; code?: string; message?: string }[]
}

/** A user's process. */
export class User {
  readonly uid: number
  readonly name: string
  readonly #child: ChildProcess
  #next = 0

  constructor(uid: number) {
    this.uid = uid
    this.name = `pkg-${uid}`
    this.#child = fork(file('agent.ts'), { uid, gid: uid, cwd: '/' } as object)
    this.#child.setMaxListeners(0)
  }

  /** Calls a function of node:fs. Throws what it throws. */
  async fs(name: string, ...args: unknown[]): Promise<unknown> {
    return await this.#order({ do: 'fs', name, args })
  }

  async ask(order: Omit<Order & { do: 'ask' }, 'do' | 'body'> & { body?: Uint8Array }): Promise<Reply> {
    const body = order.body && Buffer.from(order.body).toString('base64')
    const reply = (await this.#order({
      ...order,
      do: 'ask',
      ...(body !== undefined && { body }),
    } as Order)) as Reply
    const texts = reply.body.split('\n').filter((text) => text.startsWith('{'))
    return { ...reply, lines: texts.flatMap(parse) }
  }

  /** The library's function of that name, as this user; the name of the pins is `auto`. */
  async autoPin(
    what: 'autoPin' | 'removeAutoPin',
    { root }: Pick<PrefixPaths, 'root'>,
    path: string,
  ): Promise<void> {
    await this.#order({ do: what, prefix: root, path, user: this.name })
  }

  /** Closes all connections. */
  drop(): Promise<unknown> {
    return this.#order({ do: 'drop' })
  }

  async end(): Promise<void> {
    this.#child.kill()
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit')
  }

  async #order(order: Order): Promise<unknown> {
    const id = this.#next++
    const answered = new Promise<Answer>((resolve, reject) => {
      const gone = () => reject(new Error('the user’s process ended'))
      const take = (message: unknown) => {
        const { id: of, answer } = message as { id: number; answer: Answer }
        if (of !== id) return
        this.#child.off('message', take).off('exit', gone)
        resolve(answer)
      }
      this.#child.on('message', take).once('exit', gone)
    })
    this.#child.send({ id, order })
    const { value, error } = await answered
    if (error) throw Object.assign(new Error(error.message), { code: error.code })
    return value
  }
}

type Server = ChildProcessByStdio<Writable, Readable, Readable>

export type Machine = {
  paths: PrefixPaths
  /** opened by root, beside the daemon */
  store: Store
  alice: User
  eve: User
  socketOf(user: User): string
  daemonPid(): number | undefined
  /** another daemon takes the place of this one */
  restart(): Promise<void>
  /** what the daemon logged */
  said(): string
}

/** `settings` go to the prefix's config.json. */
export async function machine(t: Owner, settings: object = {}): Promise<Machine> {
  const directory = await temporaryDirectory(t)
  chmodSync(directory, 0o755)
  const store = Store.open(join(directory, 'prefix'))
  const { paths } = store
  writeFileSync(paths.config, JSON.stringify(settings))
  const passwd = join(directory, 'passwd')
  const lines = [ALICE, EVE].map((uid) => `pkg-${uid}:x:${uid}:${uid}::/nonexistent:/bin/sh\n`)
  writeFileSync(passwd, readFileSync('/etc/passwd', 'utf8') + lines.join(''), { mode: 0o644 })
  const script = 'mount --make-rprivate / && mount --bind "$1" /etc/passwd && exec "$0" "$2" "$3"'
  const args = ['-m', '/bin/sh', '-c', script, process.execPath, passwd, file('server.ts'), paths.root]
  let said = ''
  const start = async (): Promise<Server> => {
    const started = spawn('unshare', args, { stdio: ['pipe', 'pipe', 'pipe'] })
    started.stderr.on('data', (data) => {
      said += data
    })
    const ready = await Promise.race([once(started.stdout, 'data'), once(started, 'exit')])
    if (!String(ready[0]).includes('READY')) throw new Error(`the daemon did not start: ${said}`)
    return started
  }
  const end = async (one: Server): Promise<void> => {
    one.stdin.end()
    if (one.exitCode === null) await once(one, 'exit')
  }
  const [alice, eve] = [new User(ALICE), new User(EVE)]
  let server: Server | undefined
  t.after(async () => {
    await Promise.all([alice.end(), eve.end()])
    if (server) await end(server)
    store.close()
  })
  server = await start()
  return {
    paths,
    store,
    alice,
    eve,
    socketOf: ({ uid }) => userSocket(paths, uid),
    daemonPid: () => server?.pid,
    async restart() {
      if (server) await end(server)
      server = await start()
    },
    said: () => said,
  }
}

/** Says hello as this user. */
export async function hello({ paths }: Pick<Machine, 'paths'>, user: User, uid = user.uid): Promise<Reply> {
  return user.ask({ socket: paths.daemonSocket, method: 'POST', path: `/v1/hello?uid=${uid}` })
}

/** A line that is cut off is none. */
function parse(text: string): Reply['lines'] {
  try {
    return [JSON.parse(text)]
  } catch {
    return []
  }
}
