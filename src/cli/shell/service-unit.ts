// The systemd unit that starts the daemon: systemd.unit(5), systemd.service(5). Pure.

import type { PrefixPaths } from '../../paths.ts'
import { MARK } from './shell-file.ts'

/** `program`: the absolute path of the installed `pkg`; `scope`: whose manager reads it. */
export type UnitOptions = { program: string; scope: 'system' | 'user' }

/** The text of the unit for a prefix. */
export function serviceUnit(
  { root, daemonPid }: Pick<PrefixPaths, 'root' | 'daemonPid'>,
  { program, scope }: UnitOptions,
): string {
  return [
    MARK,
    '[Unit]',
    `Description=Mount of the content-addressed package store ${specifiers(root)}`,
    ...(scope === 'system' ? ['After=local-fs.target'] : []),
    '',
    '[Service]',
    ...(scope === 'system' ? supervised(daemonPid) : STARTED_ONCE),
    `Environment=${quoted(`PKG_PREFIX=${root}`)}`,
    `ExecStart=${command(program)} daemon start`,
    `ExecStop=${command(program)} daemon stop --force`,
    '',
    '[Install]',
    `WantedBy=${TARGET[scope]}`,
    '',
  ].join('\n')
}

/** The target that the unit is started with. */
export const TARGET = { system: 'multi-user.target', user: 'default.target' } as const

/** The mount server is left alone when the daemon dies: programs run on, and the next daemon adopts it. */
function supervised(pidFile: string): string[] {
  return [
    'Type=forking',
    `PIDFile=${specifiers(pidFile)}`,
    'Restart=on-failure',
    'RestartSec=1',
    'KillMode=process',
  ]
}

/** A user's manager believes a pid file only of its own children, and a command may have started the daemon before it. */
const STARTED_ONCE = ['Type=oneshot', 'RemainAfterExit=yes']

/** systemd takes no program with one of these in its path, but any argument, in which `$` names a variable. */
function command(program: string): string {
  return /["\\$]/.test(program) ? `/usr/bin/env ${quoted(program).replaceAll('$', '$$$$')}` : quoted(program)
}

function quoted(text: string): string {
  return `"${specifiers(text).replace(/["\\]/g, '\\$&')}"`
}

function specifiers(text: string): string {
  return text.replaceAll('%', '%%')
}
