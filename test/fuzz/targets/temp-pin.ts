// Files among the temp pins: any name, any bytes, read whole and in steps.

import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bootId, pidNamespace, processStart } from '../../../src/files/process-id.ts'
import { readTempPins, type TempPinProgress } from '../../../src/store/add/temp-pin.ts'
import { Dag } from '../../fixtures/dag.ts'
import { scratchDirectory } from '../scratch.ts'
import { bytesOf, type Target } from '../target.ts'

const scratch = scratchDirectory()
const tempPins = join(scratch, 'temp')
const cid = new Dag().raw('x')
const mine = `${process.pid}-${processStart(process.pid)}`
const header = `temp-pin 1 ${bootId()} ${pidNamespace()}\n`
const block = `block ${Buffer.from(cid.multihash.bytes).toString('base64url')}\n`

/** The first line of an input is the file's name, the rest its bytes. */
export const target: Target = {
  name: 'temp-pin',
  seeds: [
    `${mine}-abc\n${header}${block}dag ${cid}\n`,
    `1-1-00\n${header}`,
    `${mine}-0\ntemp-pin 1 other-boot 1\n${block}`,
    `${mine}-0\n${block}`,
  ].map(bytesOf),
  dictionary: [
    header,
    block,
    `dag ${cid}\n`,
    'dag ',
    'block ',
    '\n',
    '-',
    mine,
    '\0',
    '../x',
    '99999999999999999999999-1-0',
  ].map(bytesOf),
  run(input) {
    const end = input.indexOf(0x0a)
    const name = Buffer.from(input.subarray(0, end === -1 ? 0 : end)).toString('latin1')
    if (!/^[^/\0]{1,200}$/.test(name) || name === '.' || name === '..') return undefined
    rmSync(tempPins, { recursive: true, force: true })
    mkdirSync(tempPins, { recursive: true })
    const bytes = input.subarray(end + 1)
    const progress: TempPinProgress = new Map()
    writeFileSync(join(tempPins, name), bytes.subarray(0, bytes.length >> 1))
    const first = readTempPins({ tempPins }, progress)
    writeFileSync(join(tempPins, name), bytes)
    const second = readTempPins({ tempPins }, progress)
    const [whole] = readTempPins({ tempPins })
    const steps = [...first, ...second]
    // What a collector reads in steps is what it would read at once.
    assert.deepEqual(
      steps.flatMap(({ blocks }) => blocks),
      whole?.blocks ?? [],
    )
    assert.deepEqual(
      steps.flatMap(({ dags }) => dags.map(String)),
      whole?.dags.map(String) ?? [],
    )
    assert.equal(second[0]?.alive, whole?.alive)
    return whole && `${whole.alive} ${Math.min(whole.blocks.length, 2)} ${Math.min(whole.dags.length, 2)}`
  },
  close: () => rmSync(scratch, { recursive: true, force: true }),
}
