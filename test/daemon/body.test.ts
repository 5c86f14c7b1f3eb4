// The body of a request, chunk by chunk: none is kept once it was taken, however many come.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { bodyOf } from '../../src/daemon/api/body.ts'
import { temporaryDirectory } from '../helpers/temp.ts'

const MIB = 1024 * 1024

test('a chunk that was taken is not kept until the end', async (t) => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const socketPath = join(await temporaryDirectory(t), 'socket')
  const sizes: number[] = []
  const server = createServer(async (req, res) => {
    let bytes = 0
    for await (const chunk of bodyOf(req, new AbortController().signal)) {
      const before = bytes
      bytes += chunk.length
      if (Math.floor(before / (16 * MIB)) === Math.floor(bytes / (16 * MIB))) continue
      gc()
      sizes.push(process.memoryUsage().arrayBuffers)
    }
    res.end(String(bytes))
  })
  server.listen(socketPath)
  t.after(() => server.close())
  await once(server, 'listening')
  const req = request({ socketPath, method: 'POST' })
  const answered = once(req, 'response')
  const chunk = Buffer.alloc(MIB)
  await pipeline(
    Readable.from(
      Array.from({ length: 96 }, () => chunk),
      { objectMode: true, highWaterMark: 1 },
    ),
    req,
  )
  const [res] = await answered
  assert.equal(String(await res.setEncoding('utf8').toArray()), String(96 * MIB))
  assert.ok(sizes.length >= 5)
  assert.ok(Math.max(...sizes) < (sizes[0] as number) + 32 * MIB, `${sizes}`)
})

test('who waits for a chunk is told of an abort', async (t) => {
  const socketPath = join(await temporaryDirectory(t), 'socket')
  const abort = new AbortController()
  const server = createServer(async (req, res) => {
    const reading = (async () => {
      for await (const _ of bodyOf(req, abort.signal)) abort.abort(new Error('too slow'))
    })()
    res.end(await reading.then(String, (error: Error) => error.message))
  })
  server.listen(socketPath)
  t.after(() => server.close())
  await once(server, 'listening')
  const req = request({ socketPath, method: 'POST' })
  req.on('error', () => {})
  t.after(() => req.destroy())
  req.write('one')
  const [res] = await once(req, 'response')
  assert.equal(String(await res.setEncoding('utf8').toArray()), 'too slow')
})
