import { parseDuration } from '../../base/duration.ts'
import { parseQuantity, type Quantity } from '../../base/quantity.ts'
import type { Path } from '../source/positioned-node.ts'

/** Reads a document that may be wrong anywhere: what is not of the wanted type is undefined, and the shape check says so. */
export interface DocumentView {
  at(...path: Path): unknown
  has(...path: Path): boolean
  textAt(...path: Path): string | undefined
  numberAt(...path: Path): number | undefined
  listAt(...path: Path): readonly unknown[]
  keysAt(...path: Path): readonly string[]
  durationMsAt(...path: Path): number | undefined
  quantityAt(...path: Path): Quantity | undefined
}

export function viewDocument(document: unknown): DocumentView {
  const at = (...path: Path): unknown =>
    path.reduce<unknown>((value, step) => {
      if (Array.isArray(value)) return typeof step === 'number' ? value[step] : undefined
      return isMap(value) && Object.hasOwn(value, step) ? value[step] : undefined
    }, document)
  return {
    at,
    has: (...path) => at(...path) !== undefined && at(...path) !== null,
    textAt: (...path) => {
      const value = at(...path)
      return typeof value === 'string' ? value : undefined
    },
    numberAt: (...path) => {
      const value = at(...path)
      return typeof value === 'number' ? value : undefined
    },
    listAt: (...path) => {
      const value: unknown = at(...path)
      return Array.isArray(value) ? value : []
    },
    keysAt: (...path) => {
      const value = at(...path)
      return isMap(value) && !Array.isArray(value) ? Object.keys(value) : []
    },
    durationMsAt: (...path) => {
      const value = at(...path)
      return typeof value === 'string' ? parseDuration(value) : undefined
    },
    quantityAt: (...path) => {
      const value = at(...path)
      return typeof value === 'string' || typeof value === 'number' ? parseQuantity(String(value)) : undefined
    },
  }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
