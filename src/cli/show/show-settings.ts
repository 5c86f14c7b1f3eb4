// What a setting is now, and where that comes from. Shared by the `config` commands.

import { readWritten, removeSetting, writeSetting } from '../../config.ts'
import type { PrefixPaths } from '../../paths.ts'
import { readSetting, requireSetting, SETTINGS, type SettingName } from '../../settings.ts'
import { requirePrefix } from '../../store/prefix.ts'
import { requireWriter } from '../owner-only.ts'

export type ShownSetting = {
  name: SettingName
  /** as one writes it */
  value: unknown
  source: 'default' | 'config.json'
  default: number | string
  about: string
  must: string
  heeded: 'at once' | 'at start'
}

/** All settings in the order of the table. Throws USAGE for a file that has a wrong one, NOT_FOUND without a prefix. */
export function shownSettings(paths: PrefixPaths): ShownSetting[] {
  requirePrefix(paths)
  const written = readWritten(paths)
  for (const [name, value] of Object.entries(written)) {
    readSetting(requireSetting(name, paths.config), value, paths.config)
  }
  return Object.entries(SETTINGS).map(([name, { written: standard, about, kind, heeded }]) => ({
    name: name as SettingName,
    value: written[name] ?? standard,
    source: name in written ? 'config.json' : 'default',
    default: standard,
    about,
    must: kind.must,
    heeded,
  }))
}

/** One of them. Throws USAGE for a name that there is not. */
export function shownSetting(paths: PrefixPaths, text: string): ShownSetting {
  const name = requireSetting(text)
  return shownSettings(paths).find((one) => one.name === name) as ShownSetting
}

/** Writes a setting; `remark`: when that is heeded. Throws USAGE, PERMISSION, READ_ONLY. */
export async function changeSetting(
  paths: PrefixPaths,
  text: string,
  value: number | string,
): Promise<ShownSetting & { remark: string }> {
  const name = requireSetting(text)
  await requireOwnPrefix(paths)
  await writeSetting(paths, name, value)
  return withRemark(shownSetting(paths, name))
}

/**
 * Takes a setting out of the file: also one that there is not, for nothing reads a file that has it.
 * Undefined for such a one. Throws as `changeSetting`.
 */
export async function resetSetting(
  paths: PrefixPaths,
  text: string,
): Promise<(ShownSetting & { remark: string }) | undefined> {
  await requireOwnPrefix(paths)
  const unknown = !Object.hasOwn(SETTINGS, text) && Object.hasOwn(readWritten(paths), text)
  const name = unknown ? text : requireSetting(text)
  await removeSetting(paths, name)
  return unknown ? undefined : withRemark(shownSetting(paths, name))
}

async function requireOwnPrefix(paths: PrefixPaths): Promise<void> {
  requirePrefix(paths)
  await requireWriter(paths, 'configured')
}

function withRemark(shown: ShownSetting): ShownSetting & { remark: string } {
  const remark =
    shown.heeded === 'at once' ? '' : ', from the next `pkg daemon stop` and `pkg daemon start` on'
  return { ...shown, remark }
}
