/** A base image that fits a runtime. Rows are added and dated, and an old row stays for those who pinned it. */
export interface BaseImageRow {
  readonly runtime: 'onnx'
  readonly reference: string
  readonly why: string
  /** What was known when the row was written. */
  readonly asOf: string
  readonly source: string
}

const rows: readonly BaseImageRow[] = [
  {
    runtime: 'onnx',
    reference: 'gcr.io/distroless/cc-debian13:nonroot',
    why: 'glibc, libstdc++ and certificates, and neither shell nor package manager',
    asOf: '2026-11-25',
    source: 'distroless issue 2129: Debian 12 images are deprecated from September 2026',
  },
]

/** The stage that runs npm; nothing of it but what is copied reaches the image. */
export const buildStageImage = { reference: 'node:24-trixie-slim', asOf: '2026-11-25', source: 'nodejs/docker-node' }

/** The newest row. */
export function defaultBase(runtime: BaseImageRow['runtime']): BaseImageRow {
  const [row] = rows.filter((candidate) => candidate.runtime === runtime).toSorted((a, b) => (a.asOf < b.asOf ? 1 : -1))
  if (row === undefined) throw new Error(`no base image for ${runtime}`)
  return row
}
