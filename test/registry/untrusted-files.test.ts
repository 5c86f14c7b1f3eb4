// Registry directories, packages and profiles may be somebody else's: what lies there in the place of a file must
// neither hang nor fill us, nor lead us to other files. In processes of their own: one that waits for a FIFO in
// open(2) can be stopped by nothing but SIGKILL.

import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { temporaryDirectory } from '../helpers/temp.ts'

/** What is done takes milliseconds, its process some hundred. */
const BOUND_MS = 20_000

const source = (file: string) => JSON.stringify(new URL(`../../src/${file}`, import.meta.url).href)

const HEAD = `
  import { Store } from ${source('store/store.ts')}
  const [directory] = process.argv.slice(1)
  const store = Store.open(directory + '/prefix')
`

const SECRET = 'SECRET is in here'

const kinds: Record<string, (file: string) => unknown> = {
  'a FIFO': (file) => execFileSync('mkfifo', [file]),
  'an endless device': (file) => symlinkSync('/dev/zero', file),
  'a link to a secret': (file) => symlinkSync(join(dirname(file), 'secret'), file),
  'a file of 60 MB of [': (file) => writeFileSync(file, '['.repeat(60_000_000)),
}

const readers: Record<string, { file: string; code: string; does: string }> = {
  'a registry.json': {
    file: 'registry/registry.json',
    code: 'BAD_REGISTRY',
    does: `import { openRegistry } from ${source('registry/directory.ts')}
      openRegistry(store, directory + '/registry')`,
  },
  'a subscription': {
    file: 'prefix/profiles/per-user/me/registries/main.json',
    code: 'BAD_REGISTRY',
    does: `import { readSubscriptions } from ${source('registry/subscription.ts')}
      readSubscriptions(store.paths, 'me')`,
  },
  'a manifest': {
    file: 'package/.pkg/manifest.json',
    code: 'BAD_MANIFEST',
    does: `import { packDirectory } from ${source('packages/pack.ts')}
      await packDirectory(store, directory + '/package')`,
  },
  'a journal': {
    file: 'profile/journal.jsonl',
    code: 'IO',
    does: `import { readMoves } from ${source('profiles/journal.ts')}
      readMoves(directory + '/profile/journal.jsonl')`,
  },
  settings: {
    file: 'prefix/config.json',
    code: 'USAGE',
    does: `import { readConfig } from ${source('config.ts')}
      readConfig(store.paths)`,
  },
}

for (const [what, { file, code, does }] of Object.entries(readers)) {
  for (const [kind, plant] of Object.entries(kinds)) {
    test(`${what} that is ${kind} is refused in bounded time`, async (t) => {
      const directory = await temporaryDirectory(t)
      const place = join(directory, file)
      mkdirSync(dirname(place), { recursive: true })
      writeFileSync(join(dirname(place), 'secret'), SECRET)
      plant(place)
      const child = spawn(process.execPath, ['--input-type=module', '-e', HEAD + does, directory])
      t.after(() => child.kill('SIGKILL'))
      const said = text(child.stderr)
      const ended = await Promise.race([once(child, 'exit'), delay(BOUND_MS, undefined, { ref: false })])
      assert.ok(ended !== undefined, 'it hangs')
      assert.equal(child.signalCode, null)
      assert.match(await said, new RegExp(`code: '${code}'`))
      assert.doesNotMatch((await said).split('\n    at ')[0] as string, /SECRET/)
    })
  }
}

test('a journal that somebody replaced by a link is not written through', async (t) => {
  const { appendMove } = await import('../../src/profiles/journal.ts')
  const directory = await temporaryDirectory(t)
  const victim = join(directory, 'victim')
  writeFileSync(victim, 'precious')
  symlinkSync(victim, join(directory, 'journal.jsonl'))
  const move = { time: new Date(0).toISOString(), from: 1, to: 2, action: 'switch' } as const
  assert.throws(() => appendMove(join(directory, 'journal.jsonl'), move))
  assert.equal(readFileSync(victim, 'utf8'), 'precious')
})
