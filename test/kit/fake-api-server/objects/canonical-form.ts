import { parseQuantity } from '../../../../src/base/quantity.ts'
import { type JsonObject, isObject } from './stored-object.ts'

const maps = ['requests', 'limits', 'capacity', 'allocatable', 'hard', 'used', 'overhead']
const scalars = ['sizeLimit', 'averageValue', 'divisor']

/** Empty, they are as good as absent; of other objects `{}` says something. */
const emptiable = ['labels', 'annotations', 'matchLabels', 'data', 'binaryData', 'nodeSelector', ...maps]
/** Lists that the server always shows. */
const alwaysShown = ['endpoints']

/**
 * A built-in object as the server keeps it: quantities in one spelling (`1000m` is `1`, `1024Mi` is `1Gi`), and without empty lists and maps.
 */
export function canonicalize(value: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(value)
      .map(([field, item]) => [field, canonicalizeField(field, item)] as const)
      .filter(([field, item]) => !isAbsent(field, item)),
  )
}

function isAbsent(field: string, item: unknown): boolean {
  if (Array.isArray(item)) return item.length === 0 && !alwaysShown.includes(field)
  return isObject(item) && Object.keys(item).length === 0 && emptiable.includes(field)
}

function canonicalizeField(field: string, item: unknown): unknown {
  if (Array.isArray(item)) return item.map((one) => (isObject(one) ? canonicalize(one) : one))
  if (scalars.includes(field)) return canonicalizeQuantity(item)
  if (!isObject(item)) return item
  if (!maps.includes(field)) return canonicalize(item)
  return Object.fromEntries(Object.entries(item).map(([name, amount]) => [name, canonicalizeQuantity(amount)]))
}

const nanosPerUnit = 10n ** 9n
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const decimalSuffixes = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E']

/** The shortest whole number with a suffix of the family that it was written in; what is no quantity stays. */
export function canonicalizeQuantity(written: unknown): unknown {
  const text = String(written)
  const nanos = typeof written === 'string' || typeof written === 'number' ? parseQuantity(text)?.nanos : undefined
  if (nanos === undefined || /[0-9.][eE][+-]?[0-9]/.test(text)) return written
  const size = nanos < 0n ? -nanos : nanos
  const sign = nanos < 0n ? '-' : ''
  const isBinary = text.endsWith('i') && size >= 1024n * nanosPerUnit && size % nanosPerUnit === 0n
  const spelled = isBinary ? spell(size / nanosPerUnit, 1024n, binarySuffixes) : spell(size, 1000n, decimalSuffixes)
  return size === 0n ? '0' : sign + spelled
}

function spell(amount: bigint, step: bigint, suffixes: readonly string[]): string {
  let index = 0
  while (index < suffixes.length - 1 && amount % step === 0n) {
    amount /= step
    index++
  }
  return `${amount}${suffixes[index]}`
}
