import { formatBytes, formatDigest } from '../../../base/display.ts'
import { formatPlatform } from '../../../image/oci/descriptor.ts'
import type { RunConfig } from '../../../image/oci/manifest.ts'
import type { BuildPlan, PlannedBase, PlannedLayer } from '../../../image/plan/build-plan.ts'
import { renderRow, renderTable } from '../../term/layout.ts'

/** A plan for scripts, and what the rows are made of. */
export interface DescribedPlan {
  readonly name: string
  readonly platform: string
  readonly base: PlannedBase
  readonly layers: readonly DescribedLayer[]
  readonly run: RunConfig
  readonly model: BuildPlan['model']
  readonly notes: readonly string[]
}

interface DescribedLayer {
  readonly name: string
  readonly why: string
  readonly compression: PlannedLayer['compression']
  /** As it is sent. Undefined: known once it is built. */
  readonly sizeBytes?: number
  readonly unpackedBytes?: number
  /** Packages with their versions, or files. */
  readonly holds: readonly string[]
}

export function describePlan(plan: BuildPlan): DescribedPlan {
  const { name, platform, base, run, model, notes } = plan
  const layers = plan.layers.map(describeLayer)
  return { name, platform: formatPlatform(platform), base, layers, run, model, notes }
}

function describeLayer({ name, why, compression, content, measured }: PlannedLayer): DescribedLayer {
  const common = { name, why, compression }
  switch (content.kind) {
    case 'Packages': {
      const holds = content.packages.map((entry) => `${entry.name}@${entry.version}`)
      return measured === undefined
        ? { ...common, holds }
        : { ...common, sizeBytes: measured.sizeBytes, unpackedBytes: measured.unpackedBytes, holds }
    }
    case 'Model': {
      const unpackedBytes = content.files.reduce((sum, file) => sum + file.sizeBytes, 0)
      const holds = content.files.map((file) => file.name)
      return compression === 'None'
        ? { ...common, sizeBytes: unpackedBytes, unpackedBytes, holds }
        : { ...common, unpackedBytes, holds }
    }
    case 'Code':
      return { ...common, holds: [`${content.code.files.length} modules`] }
    case 'Documents':
      return { ...common, holds: content.documents.map(({ path }) => `/${path}`) }
  }
}

export function renderPlan(plan: DescribedPlan): readonly string[] {
  const { run, model } = plan
  const rows = plan.layers.map(({ name, sizeBytes, unpackedBytes, holds, why }) => [
    `  ${name}`,
    sizeBytes === undefined ? '' : formatBytes(sizeBytes),
    unpackedBytes === undefined ? '' : formatBytes(unpackedBytes),
    nameContents(holds),
    why,
  ])
  const known = plan.layers.reduce((sum, layer) => sum + (layer.sizeBytes ?? 0), 0)
  return [
    renderRow(
      'plan',
      `${plan.name}  ${plan.platform}  model ${formatDigest(model.digest)} ${formatBytes(model.sizeBytes)}`,
    ),
    renderRow('base', `${plan.base.reference}   ${plan.base.why}`),
    renderTable(['  layer', 'packed', 'unpacked', 'holds', 'why'], rows),
    renderRow('size', `${formatBytes(known)} over the base, ${formatBytes(known - model.sizeBytes)} without the model`),
    renderRow('user', `${run.User}, not root`),
    renderRow('entry', (run.Entrypoint ?? []).concat(run.Cmd ?? []).join(' ')),
    renderRow('ports', Object.keys(run.ExposedPorts ?? {}).join(', ')),
    renderRow('stop', `${run.StopSignal}; it answers what it owes and ends`),
    renderRow('health', (run.Healthcheck?.Test ?? []).slice(1).join(' ')),
    ...plan.notes.map((note) => renderRow('note', note)),
  ]
}

function nameContents(holds: readonly string[]): string {
  return holds.length <= 2 ? holds.join(', ') : `${holds[0]} and ${holds.length - 1} more`
}
