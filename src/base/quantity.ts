/**
 * Kubernetes quantities, exactly: `250m`, `1.5`, `64Mi`, `1G`, `2e3`. Held as whole billionths (Kubernetes' own finest
 * step), so that nothing is lost between `0.1` and `100m`. Finer digits round away from zero, as Kubernetes does.
 */

const form = /^([+-]?)([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)|[eE]([+-]?[0-9]{1,2}))?$/
const decimalExponent: Record<string, number> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const binaryPower: Record<string, bigint> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n }
const nanosPerUnit = 1_000_000_000n

export interface Quantity {
  /** Billionths of one unit (core, byte). */
  readonly nanos: bigint
}

/** The quantity, or undefined when the text is none. */
export function parseQuantity(text: string): Quantity | undefined {
  const match = form.exec(text)
  if (match === null || text.length > 40) return undefined
  const [, sign, digits = '0', suffix, exponent] = match
  const [integer = '', fraction = ''] = digits.split('.')
  const shift = 9 - fraction.length + (suffix === undefined ? Number(exponent ?? 0) : (decimalExponent[suffix] ?? 0))
  let nanos =
    BigInt(integer + fraction) *
    (suffix !== undefined && suffix in binaryPower ? 1n << (binaryPower[suffix] ?? 0n) : 1n)
  if (shift >= 0) nanos *= 10n ** BigInt(shift)
  else {
    const divisor = 10n ** BigInt(-shift)
    nanos = (nanos + divisor - 1n) / divisor
  }
  return { nanos: sign === '-' ? -nanos : nanos }
}

/** Whole units, a started one counted: what a byte count needs. */
export function quantityUnits({ nanos }: Quantity): number {
  return Number((nanos + (nanos > 0n ? nanosPerUnit - 1n : 0n)) / nanosPerUnit)
}

/** Whole thousandths, a started one counted: CPU as `cpuMillis`. */
export function quantityMillis({ nanos }: Quantity): number {
  return Number((nanos + (nanos > 0n ? 999_999n : 0n)) / 1_000_000n)
}

/** The same amount in one canonical spelling, so that `1000m` and `1` are no change. */
export function renderQuantity({ nanos }: Quantity): string {
  if (nanos === 0n) return '0'
  if (nanos % nanosPerUnit === 0n) {
    const units = nanos / nanosPerUnit
    for (const suffix of ['Ei', 'Pi', 'Ti', 'Gi', 'Mi', 'Ki']) {
      const step = 1n << (binaryPower[suffix] ?? 0n)
      if (units % step === 0n) return `${units / step}${suffix}`
    }
    return String(units)
  }
  for (const [suffix, perUnit] of [
    ['m', 1000n],
    ['u', 1_000_000n],
  ] as const) {
    const step = nanosPerUnit / perUnit
    if (nanos % step === 0n) return `${nanos / step}${suffix}`
  }
  return `${nanos}n`
}
