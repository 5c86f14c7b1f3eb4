// `pkg info`: the registry's record of a package, or the manifest of one by CID or path.

import { hasCode, type PkgError } from '../../errors.ts'
import type { Spec } from '../../install/spec.ts'
import type { InstalledPackage } from '../../profiles/installed.ts'
import { type PackageRecord, platformKey } from '../../registry/record.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import type { MountReport } from '../mounting.ts'
import { fields, formatBytes, formatDate, printable, type Style, table } from '../show/output.ts'

export const command = defineCommand({
  options: (argv) =>
    argv
      .positional('package', {
        type: 'string',
        demandOption: true,
        describe: 'A name, name@range, a CID, a path',
      })
      .example('pkg info esbuild', 'Versions, platforms, sizes'),
  async run({ package: text }, context) {
    const { parseSpec } = await import('../../install/spec.ts')
    const spec = parseSpec(text)
    if (spec.kind !== 'name') return await ofManifest(text, context)
    const installed = await installedAs(spec.name, context)
    try {
      return { ...(await ofRecord(text, spec, context)), ...installed }
    } catch (error) {
      if (!hasCode(error, 'NO_PACKAGE', 'NO_VERSION')) throw error
      return { ...(await ofManifest(text, context, error)), ...installed }
    }
  },
  render: (info, style) => ('versions' in info ? renderRecord(info, style) : renderPackage(info, style)),
  brief: (info) => ('cid' in info ? info.cid.toString() : undefined),
})

async function ofRecord(text: string, { name, range }: Spec & { kind: 'name' }, { openStore }: Context) {
  const [{ findRecord, resolve }, { readManifest }] = await Promise.all([
    import('../../install/resolve.ts'),
    import('../../packages/package.ts'),
  ])
  const store = await openStore()
  const { registry, record } = await findRecord(store, name)
  try {
    const { cid, version } = await resolve(store, text)
    const held = store.blocks.has(cid)
    return {
      ...record,
      registry,
      version,
      cid,
      held,
      programs: held ? readManifest(store.blocks, cid).programs : undefined,
    }
  } catch (error) {
    // Nothing for this machine: what there is may be shown all the same, unless one version was asked for.
    if (range !== undefined || !hasCode(error, 'NO_VERSION')) throw error
    return { ...record, registry, unavailable: error.message }
  }
}

/** What is installed under this name, for the page of any version of it. */
async function installedAs(
  name: string,
  context: Context,
): Promise<{ installed?: InstalledPackage; mount?: MountReport }> {
  const [{ findCurrentGeneration }, { tryReadEnvironment }] = await Promise.all([
    import('../../profiles/profile.ts'),
    import('../../profiles/environment.ts'),
  ])
  const profile = await context.openProfile('read')
  const current = findCurrentGeneration(profile)
  const packages = current && tryReadEnvironment(profile.store.blocks, current.cid)
  const installed = packages?.find((one) => one.name === name)
  if (installed === undefined) return {}
  return { installed, ...(await import('../mounting.ts')).noteNotServed(context) }
}

async function ofManifest(text: string, { openProfile }: Context, unknown?: PkgError) {
  const [{ resolve }, { readManifest }, { closureSize }] = await Promise.all([
    import('../../install/resolve.ts'),
    import('../../packages/package.ts'),
    import('../../store/links/closure.ts'),
  ])
  const here = await openProfile('read')
  const { store } = here
  const { cid } = await resolve(store, text, { here }).catch((error) => {
    throw hasCode(error, 'NO_PACKAGE') ? (unknown ?? error) : error
  })
  return { ...readManifest(store.blocks, cid), cid, ...measured(closureSize(store, cid)) }
}

function measured({ blocks, bytes: size }: { blocks: number; bytes: number }) {
  return { blocks, size }
}

type Installed = Awaited<ReturnType<typeof installedAs>>
type RecordInfo = Awaited<ReturnType<typeof ofRecord>> & Installed
type PackageInfo = Awaited<ReturnType<typeof ofManifest>> & Installed

function installedField({ installed }: Installed, style: Style): [string, string | undefined] {
  if (installed === undefined) return ['installed', undefined]
  const { version, requested, name } = installed
  const asked = requested === name ? '' : style.dim(` (asked for as ${printable(requested)})`)
  return ['installed', `${version}${asked}`]
}

/** The page shows the newest few; --json has them all. */
const SHOWN_VERSIONS = 10

function renderRecord(info: RecordInfo, style: Style): string {
  const { name, description, homepage, licence, registry, versions } = info
  const head = fields(
    [
      ['name', style.bold(name)],
      ['about', printable(description)],
      ['homepage', homepage && printable(homepage)],
      ['licence', licence && printable(licence)],
      ['registry', printable(registry)],
      [
        'for here',
        'version' in info ? `${info.version}  ${info.cid}` : style.yellow(printable(info.unavailable ?? '')),
      ],
      installedField(info, style),
      ['programs', 'programs' in info ? info.programs?.map(printable).join(', ') : undefined],
    ],
    style,
  )
  const rows = versions.toReversed().slice(0, SHOWN_VERSIONS).flatMap(versionRows)
  const more =
    versions.length > SHOWN_VERSIONS ? `\n${style.dim(`and ${versions.length - SHOWN_VERSIONS} older`)}` : ''
  return `${head}\n\n${table(['version', 'platform', 'size', 'published'], rows, { style, right: [2] })}${more}`
}

function versionRows({ version, published, platforms }: PackageRecord['versions'][number]): string[][] {
  return platforms.map(({ os, arch, libc, size }) => [
    version,
    os === undefined && arch === undefined ? 'any' : platformKey({ os, arch, libc }),
    formatBytes(size),
    formatDate(published),
  ])
}

function renderPackage(
  { cid, name, version, programs, blocks, size, ...rest }: PackageInfo,
  style: Style,
): string {
  const { description, homepage, licence, dependencies = [] } = rest
  return fields(
    [
      ['name', style.bold(name)],
      ['version', version],
      installedField(rest, style),
      ['about', description && printable(description)],
      ['homepage', homepage && printable(homepage)],
      ['licence', licence && printable(licence)],
      ['cid', cid.toString()],
      ['size', `${formatBytes(size)} in ${blocks.toLocaleString('en')} blocks`],
      ['programs', programs.map(printable).join(', ')],
      [
        'depends on',
        dependencies.map((one) => printable(`${one.name} ${one.version ?? ''}`.trim())).join(', '),
      ],
    ],
    style,
  )
}
