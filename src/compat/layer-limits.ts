/** What registries publish as the most that one layer may have. Unknown registries: nothing is said. */
export interface LayerLimitRow {
  /** Host, or the end of it. */
  readonly registry: string
  readonly maxBytes: number
  readonly asOf: string
  readonly source: string
}

const rows: readonly LayerLimitRow[] = [
  { registry: 'ghcr.io', maxBytes: 10e9, asOf: '2026-11-25', source: 'GitHub documentation: 10 GB for each layer' },
  {
    registry: '.amazonaws.com',
    maxBytes: 52_000 * 2 ** 20,
    asOf: '2026-11-25',
    source: 'Amazon ECR quotas: 52,000 MiB for a layer',
  },
  { registry: '.azurecr.io', maxBytes: 200 * 2 ** 30, asOf: '2026-11-25', source: 'Azure Container Registry: 200 GiB' },
]

export function layerLimitOf(registry: string): LayerLimitRow | undefined {
  return rows.find(
    (row) => registry === row.registry || (row.registry.startsWith('.') && registry.endsWith(row.registry)),
  )
}
