// `pkg pack`: a directory, or a DAG that somebody else made, becomes a package.

import { PkgError } from '../../errors.ts'
import type { Fault, FaultOptions } from '../../packages/faults.ts'
import type { Manifest } from '../../packages/manifest.ts'
import type { CID } from '../../store/cid.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { faultNotes } from '../show/fault-notes.ts'
import { formatBytes, printable } from '../show/output.ts'
import { bytesProgress } from '../show/steps.ts'

type PackArgs = {
  directory?: string | undefined
  as?: string | undefined
  from?: string | undefined
  bin?: string[] | undefined
  description?: string | undefined
  licence?: string | undefined
  homepage?: string | undefined
  dependency?: string[] | undefined
  strict?: boolean | undefined
  pin: boolean
}

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('directory', {
        type: 'string',
        describe: 'Programs in bin/, a manifest in .pkg/manifest.json',
      })
      .option('as', { type: 'string', requiresArg: true, describe: 'name@version: makes the manifest' })
      .option('from', {
        type: 'string',
        requiresArg: true,
        describe: 'A CID in place of a directory; shares its blocks',
      })
      .option('bin', {
        type: 'string',
        array: true,
        describe: 'With --from: paths of the programs, each an executable file',
      })
      .option('description', { type: 'string', requiresArg: true, describe: 'For the made manifest' })
      .option('licence', {
        type: 'string',
        requiresArg: true,
        describe: 'For the made manifest: an SPDX expression',
      })
      .option('homepage', { type: 'string', requiresArg: true, describe: 'For the made manifest' })
      .option('dependency', {
        type: 'string',
        array: true,
        describe: 'For the made manifest: name=CID, one or more',
      })
      .option('strict', {
        type: 'boolean',
        describe: 'Refuse (status 2) what is else only warned of: programs that cannot work elsewhere',
      })
      .option('pin', {
        type: 'boolean',
        default: true,
        describe: 'Keep it alive under its name; --no-pin leaves it',
      })
      .example('pkg pack ./esbuild --as esbuild@0.25.0', 'Programs are what is executable in bin/')
      .example('pkg pack --from bafy… --as jq@1.7.1 --bin usr/bin/jq', 'Adopt a DAG'),
  async run(args: PackArgs, context) {
    const { closureSize } = await import('../../store/links/closure.ts')
    const faults: Fault[] = []
    const tell = faultNotes(context)
    const looking = {
      strict: args.strict,
      onFault(fault: Fault) {
        faults.push(fault)
        tell(fault)
      },
    }
    const { cid, manifest } = await (args.from === undefined
      ? packOwn(args, looking, context)
      : adopt(args, looking, context))
    const { bytes: size } = closureSize(await context.openStore(), cid)
    return { cid, ...manifest, size, pinned: args.pin, faults }
  },
  about({ name, version, programs, size, pinned }, style) {
    const kept = pinned ? `pinned as ${name}` : 'not pinned'
    const what = `${name} ${version}, ${formatBytes(size)}; programs: ${programs.map(printable).join(', ') || 'none'}; ${kept}`
    return style.dim(what)
  },
  afterInterrupt: 'What was added stays until `pkg gc`; adding it again goes on from there.',
  brief: ({ cid }) => cid.toString(),
})

type Packed = { cid: CID; manifest: Manifest }

async function packOwn(args: PackArgs, looking: FaultOptions, context: Context): Promise<Packed> {
  const { directory, as, description, licence, homepage } = args
  if (directory === undefined || args.bin) {
    throw new PkgError(
      'USAGE',
      directory === undefined ? 'what to pack is missing' : '--bin goes with --from only',
      {
        hint: 'Give a directory (its programs in bin/), or --from <cid> --as <name>@<version> --bin <path>.',
      },
    )
  }
  const { packDirectory } = await import('../../packages/pack.ts')
  const store = await context.openStore('add')
  const progress = bytesProgress(context, 'Packing')
  const dependencies = args.dependency && (await dependenciesOf(args.dependency, context))
  return await packDirectory(store, directory, {
    ...looking,
    as,
    manifest: defined({ description, licence, homepage, dependencies }),
    signal: context.signal,
    onProgress: progress.update,
    keep: keeper(args, context),
  }).finally(progress.end)
}

async function adopt(args: PackArgs, looking: FaultOptions, context: Context): Promise<Packed> {
  const { directory, from = '', as, bin, description, licence, homepage } = args
  if (directory !== undefined || as === undefined || args.dependency) {
    throw new PkgError('USAGE', '--from goes with --as and --bin, and without a directory or dependencies', {
      hint: 'For example: pkg pack --from bafy… --as jq@1.7.1 --bin usr/bin/jq',
    })
  }
  const [{ adoptPackage }, { resolveHeldDag }] = await Promise.all([
    import('../../packages/adopt.ts'),
    import('../dag.ts'),
  ])
  const store = await context.openStore('add')
  return await adoptPackage(store, await resolveHeldDag(store, from, context), {
    ...looking,
    as,
    bin,
    manifest: defined({ description, licence, homepage }),
    keep: keeper(args, context),
  })
}

/** Pins what was packed while it is still protected: otherwise the next collection takes what was reported done. */
function keeper({ pin }: PackArgs, { openStore }: Context) {
  if (!pin) return undefined
  return async ({ cid, manifest }: Packed) => {
    const { addPin } = await import('../../pins/pins.ts')
    await addPin(await openStore(), { prog: manifest.name, cid })
  }
}

/** `node=bafy…`: the version is what the dependency's own manifest says. */
async function dependenciesOf(texts: string[], context: Context): Promise<Manifest['dependencies']> {
  const [{ readManifest }, { resolveHeldDag }] = await Promise.all([
    import('../../packages/package.ts'),
    import('../dag.ts'),
  ])
  const store = await context.openStore()
  const named = texts.map(async (text) => {
    const [, name, target] = /^([^=]+)=(.+)$/s.exec(text) ?? []
    if (name === undefined || target === undefined) {
      throw new PkgError('USAGE', `${JSON.stringify(text)} is not name=CID`, {
        hint: 'For example: --dependency node=bafy…',
      })
    }
    const cid = await resolveHeldDag(store, target, context)
    return { name, version: readManifest(store.blocks, cid).version, cid: cid.toV1().toString() }
  })
  return await Promise.all(named)
}

function defined<T extends object>(members: T): Partial<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Partial<T>
}
