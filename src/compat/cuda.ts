/** What a program built with a CUDA toolkit wants of the driver on its node. Linux; 13.x has no Windows driver. */
interface ToolkitRow {
  readonly cuda: string
  /** The driver that came with this toolkit: whatever the toolkit can do works on it and on every later one. */
  readonly driver: string
}

// As of 2026-11-22, by NVIDIA's CUDA Toolkit Release Notes, tables 2 and 3, read through others that quote them.
const toolkits: readonly ToolkitRow[] = [
  { cuda: '13.2', driver: '595.71.05' },
  { cuda: '13.1', driver: '590.44.01' },
  { cuda: '13.0', driver: '580.65.06' },
  { cuda: '12.9', driver: '575.51.03' },
  { cuda: '12.8', driver: '570.26' },
  { cuda: '12.6', driver: '560.28.03' },
  { cuda: '12.5', driver: '555.42.02' },
  { cuda: '12.4', driver: '550.54.14' },
  { cuda: '12.3', driver: '545.23.06' },
  { cuda: '12.2', driver: '535.54.03' },
  { cuda: '12.1', driver: '530.30.02' },
]

/** Minor-version compatibility: from here on a program of this major version runs, but for what the driver has to compile (PTX). */
const majorFloors: readonly { readonly major: number; readonly driver: string }[] = [
  { major: 13, driver: '580.65.06' },
  { major: 12, driver: '525.60.13' },
  { major: 11, driver: '450.80.02' },
]

export type DriverCheck =
  | { readonly kind: 'Ok' }
  /** It runs, unless code has to be compiled for the device at its start; `driver` is the first without that exception, null: not known. */
  | { readonly kind: 'Warn'; readonly driver: string | null }
  | { readonly kind: 'TooOld'; readonly driver: string }
  /** No row says anything of this version of CUDA, or one of the two is no version. */
  | { readonly kind: 'Unknown' }

/** `cudaVersion` as `12.4` or `12.4.1`, `driver` with all its parts, as `550.54.14`: a major version alone decides nothing. */
export function checkDriver(cudaVersion: string, driver: string): DriverCheck {
  const floor = majorFloorOf(cudaVersion)
  if (floor === undefined || !isVersion(driver)) return { kind: 'Unknown' }
  if (compareVersions(driver, floor) < 0) return { kind: 'TooOld', driver: floor }
  const own = toolkits.find(({ cuda }) => compareVersions(cuda, minorOf(cudaVersion)) === 0)
  // Of a toolkit without a row it is only known that the next major version's driver is later than its own.
  const enough = own?.driver ?? majorFloors.findLast(({ major }) => major > Number(cudaVersion.split('.')[0]))?.driver
  if (enough !== undefined && compareVersions(driver, enough) >= 0) return { kind: 'Ok' }
  return { kind: 'Warn', driver: enough ?? null }
}

/** The oldest driver on which anything of this major version runs; undefined where no row says. */
export function majorFloorOf(cudaVersion: string): string | undefined {
  if (!isVersion(cudaVersion)) return undefined
  const major = Number(cudaVersion.split('.')[0])
  return majorFloors.find((row) => row.major === major)?.driver
}

function isVersion(text: string): boolean {
  return /^\d{1,4}(\.\d{1,4}){1,3}$/.test(text)
}

function minorOf(version: string): string {
  return version.split('.').slice(0, 2).join('.')
}

/** By number, part by part; a missing part is 0. */
function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number))
  for (let part = 0; part < Math.max(left?.length ?? 0, right?.length ?? 0); part++) {
    const difference = (left?.[part] ?? 0) - (right?.[part] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
