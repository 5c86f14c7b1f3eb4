// `pkg doctor` as people see it: marks, columns, and the number of problems.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { command, worst } from '../../src/cli/commands/doctor.ts'
import { styleFor } from '../../src/cli/show/output.ts'

const style = styleFor({ isTTY: false })

const FINE = { name: 'node', ok: true, detail: 'Node.js 24' } as const
const NOTE = { name: 'other users', ok: 'note', detail: 'only you', hint: 'allow it' } as const
const BAD = { name: 'prefix', ok: false, detail: 'closed', hint: 'open it' } as const

const shown = (...checks: (typeof FINE | typeof NOTE | typeof BAD)[]) => {
  const ok = checks.every((check) => check.ok !== false)
  return command.render?.({ ok, prefix: '/p', checks }, style, {}) as string
}

test('columns are aligned, hints stand below what they are about', () => {
  assert.equal(
    shown(FINE, NOTE, BAD),
    [
      'ok    node         Node.js 24',
      'note  other users  only you',
      '                   allow it',
      'NO    prefix       closed',
      '                   open it',
      '1 problem',
    ].join('\n'),
  )
})

test('notes are no problems', () => {
  assert.match(shown(FINE, NOTE) ?? '', /\nNothing is in the way$/)
  assert.match(shown(BAD, NOTE, BAD) ?? '', /\n2 problems$/)
})

test('the worst finding decides the exit status', () => {
  const bad = (exit?: number) => ({ ...BAD, ...(exit !== undefined && { exit }) })
  assert.equal(worst([FINE, NOTE]), 0)
  assert.equal(worst([bad()]), 8)
  assert.equal(worst([bad(), bad(2), FINE]), 2)
  assert.equal(worst([bad(2), bad(), bad(4), bad(7)]), 4)
  assert.equal(worst([{ ...NOTE, exit: 9 }, bad(3)]), 3)
})
