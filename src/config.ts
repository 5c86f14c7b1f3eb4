// Settings of a prefix: `<prefix>/config.json` over the defaults of settings.ts.
// A missing file means the defaults; an unknown key or a wrong type is an error
// that names it, so that a slip of the pen never passes silently.

import { isErrno, PkgError } from './errors.ts'
import { writeFileAtomic } from './files/atomic.ts'
import { readSmallFile } from './files/small-file.ts'
import type { PrefixPaths } from './paths.ts'
import { type Config, DEFAULTS, readSetting, requireSetting, type SettingName } from './settings.ts'

export type { Config } from './settings.ts'

type Paths = Pick<PrefixPaths, 'config'>

/** A thousand times what all settings take. */
const MAX_BYTES = 1024 * 1024

const FILE = { maxBytes: MAX_BYTES, what: 'a file of settings', code: 'USAGE', followLinks: true } as const

/** Reads the settings. Throws USAGE naming the file and the key that is wrong. */
export function readConfig(paths: Paths): Config {
  const read: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(readWritten(paths))) {
    read[name] = readSetting(requireSetting(name, paths.config), value, paths.config)
  }
  return { ...DEFAULTS, ...read }
}

/** The settings that the file has, as they are written there, unchecked. Throws USAGE for what is no JSON object. */
export function readWritten({ config }: Paths): Readonly<Record<string, unknown>> {
  let text: string
  try {
    text = readSmallFile(config, FILE).toString()
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return {}
    throw error
  }
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  } catch (cause) {
    throw new PkgError('USAGE', `${config} is not JSON`, { cause })
  }
  throw new PkgError('USAGE', `${config} must hold one JSON object`)
}

/**
 * Writes one setting; the others stay as they are, also wrong ones, so that each
 * can be mended. Processes that write at once lose nothing. Throws USAGE for a value
 * that does not fit, and what the file system says: only the prefix's owner may.
 */
export async function writeSetting(paths: Paths, name: SettingName, value: number | string): Promise<void> {
  readSetting(name, value)
  await change(paths, (settings) => ({ ...settings, [name]: value }))
}

/** Takes out one setting, whatever its name, so that the default holds again. Idempotent. Throws as `writeSetting`. */
export async function removeSetting(paths: Paths, name: string): Promise<void> {
  await change(paths, ({ [name]: _, ...others }) => others)
}

async function change(
  paths: Paths,
  how: (settings: Readonly<Record<string, unknown>>) => Record<string, unknown>,
): Promise<void> {
  // What only reads settings loads no locks.
  const { withLock } = await import('./files/lock.ts')
  await withLock(paths.config, () => {
    writeFileAtomic(paths.config, `${JSON.stringify(how(readWritten(paths)), undefined, 2)}\n`)
  })
}
