// `pkg info`: the registry's record of a package, or the manifest of one by CID or path.

import { type PackageRecord, platformKey } from '../../registry/record.ts'
import type { Spec } from '../../registry/spec.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { fields, formatBytes, formatDate, printable, type Style, table } from '../output.ts'

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
    const { parseSpec } = await import('../../registry/spec.ts')
    const spec = parseSpec(text)
    return spec.kind === 'name' ? await ofRecord(text, spec, context) : await ofManifest(text, context)
  },
  render: (info, style) => ('versions' in info ? renderRecord(info, style) : renderPackage(info, style)),
  brief: (info) => ('cid' in info ? info.cid.toString() : undefined),
})

async function ofRecord(text: string, { name, range }: Spec & { kind: 'name' }, { openStore }: Context) {
  const [{ findRecord, resolve }, { readManifest }, { hasCode }] = await Promise.all([
    import('../../registry/resolve.ts'),
    import('../../packages/package.ts'),
    import('../../errors.ts'),
  ])
  const store = await openStore()
  const { registry, record } = findRecord(store, name)
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

async function ofManifest(text: string, { openStore }: Context) {
  const [{ resolve }, { readManifest }, { closureSize }] = await Promise.all([
    import('../../registry/resolve.ts'),
    import('../../packages/package.ts'),
    import('../../store/closure.ts'),
  ])
  const store = await openStore()
  const { cid } = await resolve(store, text)
  return { ...readManifest(store.blocks, cid), cid, ...closureSize(store, cid) }
}

type RecordInfo = Awaited<ReturnType<typeof ofRecord>>
type PackageInfo = Awaited<ReturnType<typeof ofManifest>>

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
      ['programs', 'programs' in info ? info.programs?.map(printable).join(', ') : undefined],
    ],
    style,
  )
  const rows = versions.toReversed().slice(0, SHOWN_VERSIONS).flatMap(versionRows)
  const more =
    versions.length > SHOWN_VERSIONS ? `\n${style.dim(`and ${versions.length - SHOWN_VERSIONS} older`)}` : ''
  return `${head}\n\n${table(['version', 'platform', 'closure', 'published'], rows, { style, right: [2] })}${more}`
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
  { cid, name, version, programs, blocks, bytes, ...rest }: PackageInfo,
  style: Style,
): string {
  const { description, homepage, licence, dependencies = [] } = rest
  return fields(
    [
      ['name', style.bold(name)],
      ['version', version],
      ['about', description && printable(description)],
      ['homepage', homepage && printable(homepage)],
      ['licence', licence && printable(licence)],
      ['cid', cid.toString()],
      ['closure', `${formatBytes(bytes)} in ${blocks.toLocaleString('en')} blocks`],
      ['programs', programs.map(printable).join(', ')],
      [
        'depends on',
        dependencies.map((one) => printable(`${one.name} ${one.version ?? ''}`.trim())).join(', '),
      ],
    ],
    style,
  )
}
