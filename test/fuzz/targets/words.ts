// What people type: CIDs, specs of packages, paths, and whole command lines.

import assert from 'node:assert/strict'
import { printable, printableLines } from '../../../src/cli/show/output.ts'
import { parse } from '../../../src/cli/words/parse.ts'
import { parseGatewayRequest } from '../../../src/daemon/api/gateway.ts'
import { parseSpec } from '../../../src/install/spec.ts'
import { blockName, cidOfBlockName, sameBlock, tryParseCid } from '../../../src/store/cid.ts'
import { Dag } from '../../fixtures/dag.ts'
import { bytesOf, codeOfRefusal, refusing, type Target } from '../target.ts'

const cid = new Dag().raw('x')

/** Words are parted by NUL, as the kernel parts them. */
export const target: Target = {
  name: 'words',
  seeds: [
    `install\u0000hello@1.0.0\u0000--json`,
    `store\u0000ls\u0000${cid}/a\u0000-l`,
    `store\u0000export\u0000${cid}\u0000-o\u0000x`,
    'run\u0000x\u0000-p\u0000y\u0000--\u0000--json\u0000-x',
    'gc\u0000--keep\u0000003\u0000--delete-older-than\u000030d\u0000-n',
    'pin\u0000add\u0000x',
    'help\u0000store',
    '--prefix\u0000/x\u0000list',
    'daemon\u0000status\u0000--help',
    `why\u0000${cid.toV1().toString()}`,
    'doctor',
    'init',
    'publish\u0000.\u0000--registry\u0000r',
    'search\u0000--limit\u00005\u0000x',
    'upgrade\u0000--as\u0000a@1.0.0',
    'rollback\u0000--to\u00003',
    'zb2rhe5P4gXftAwvA4eXQ5HJwsER2owDyS9sKaQRRVQPn93bA',
    'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG',
  ].map(bytesOf),
  dictionary: [
    '--',
    '-',
    '--json',
    '--prefix',
    '--profile=',
    '--keep',
    '--no-json',
    '__proto__',
    '--__proto__',
    '--constructor',
    '--__proto__.x',
    '$0',
    '_',
    '\u0000',
    '=',
    '-vvv',
    '/ipfs/',
    'ipfs://',
    '@',
    '%00',
    '--help',
    '--version',
    'store',
    'pin',
    'registry',
    'daemon',
    '--x.y',
    '\u001b[2J',
    '../..',
    '-0',
    '1e3',
    '--get-yargs-completions',
    '\u202e',
  ].map(bytesOf),
  async run(input) {
    const text = Buffer.from(input).toString()
    const words = text.split('\0')
    const found = tryParseCid(words[0] ?? '')
    if (found) {
      assert.ok(sameBlock(found, tryParseCid(found.toString())!))
      assert.ok(sameBlock(found, cidOfBlockName(blockName(found))!))
    }
    for (const word of words) {
      const spec = refusing(() => parseSpec(word))
      if ('kind' in spec && spec.kind === 'name') assert.ok(!spec.name.includes('/') && spec.name !== '..')
      const url = URL.canParse(word, 'http://daemon') ? new URL(word, 'http://daemon') : undefined
      if (url) refusing(() => ({ kind: parseGatewayRequest(url) }))
      // Nothing that moves a cursor or colours a terminal gets through, and lines stay lines.
      assert.ok(!/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/.test(printable(word)))
      assert.ok(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(printableLines(word).replaceAll('\t', '')))
    }
    try {
      const parsed = await parse(words, { version: '0' })
      return 'text' in parsed ? 'text' : parsed.invocation.words
    } catch (error) {
      return codeOfRefusal(error)
    }
  },
}
