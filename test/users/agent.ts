// A process of some user's that does what a test tells it: calls of node:fs, and requests to the daemon.

import fs from 'node:fs'
import { type ClientRequest, request } from 'node:http'

export type Order =
  | { do: 'fs'; name: string; args: unknown[] }
  | {
      do: 'ask'
      socket: string
      method: string
      path: string
      body?: string
      hold?: boolean
      endless?: boolean
    }
  /** makes an auto pin, or ends one */
  | { do: 'autoPin' | 'removeAutoPin'; prefix: string; path: string; user: string }
  /** opens connections that say nothing */
  | { do: 'drop' }

export type Answer = { value?: unknown; error?: { code: string; message: string } }

const open = new Set<ClientRequest>()

process.on('message', async ({ id, order }: { id: number; order: Order }) => {
  let answer: Answer
  try {
    answer = { value: await act(order) }
  } catch (error) {
    const { code = 'UNKNOWN', message } = error as NodeJS.ErrnoException
    answer = { error: { code, message } }
  }
  process.send?.({ id, answer })
})

async function act(order: Order): Promise<unknown> {
  if (order.do === 'fs')
    return plain((fs[order.name as 'statSync'] as (...args: unknown[]) => unknown)(...order.args))
  if (order.do === 'ask') return ask(order)
  if (order.do === 'autoPin' || order.do === 'removeAutoPin') {
    const pins = await import('../../src/pins/auto-pin.ts')
    const { prefixPaths } = await import('../../src/paths.ts')
    await pins[order.do]({ paths: prefixPaths(order.prefix) }, order.path, { prog: 'auto', user: order.user })
    return undefined
  }
  for (const req of open) req.destroy()
  open.clear()
  return undefined
}

/** What can go through a pipe. */
function plain(value: unknown): unknown {
  return value instanceof fs.Stats ? { uid: value.uid, mode: value.mode & 0o7777 } : value
}

function ask(order: Order & { do: 'ask' }): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const { socket, method, path, body, hold = false, endless = false } = order
    const req = request({ socketPath: socket, method, path }, (res) => {
      let text = ''
      res.setEncoding('utf8')
      const done = () => resolve({ status: res.statusCode ?? 0, body: text })
      res.on('data', (data: string) => {
        text += data
        if ((hold && /"type":"(done|error)"/.test(text)) || endless) done()
      })
      res.on('end', done).on('error', reject)
      if (endless) done()
    })
    open.add(req)
    req.on('close', () => open.delete(req))
    req.on('error', reject)
    if (endless) req.write(Buffer.from(body ?? '', 'base64'))
    else req.end(Buffer.from(body ?? '', 'base64'))
  })
}
