import type { Container, Node, Pod } from 'kubernetes-types/core/v1.js'
import { type Quantity, parseQuantity } from '../../../base/quantity.ts'

/** What a pod asks of its node, by resource: the sum of its containers, or its largest init container. */
export function sumRequests({ spec }: Pod): ReadonlyMap<string, Quantity> {
  const sums = new Map<string, bigint>()
  const requestsOf = ({ resources }: Container): [string, bigint][] =>
    Object.entries({ ...resources?.limits, ...resources?.requests }).map(([name, text]) => [name, toNanos(text)])
  // A limit without a request asks for as much.
  for (const container of spec?.containers ?? [])
    for (const [name, nanos] of requestsOf(container)) sums.set(name, (sums.get(name) ?? 0n) + nanos)
  for (const container of spec?.initContainers ?? [])
    for (const [name, nanos] of requestsOf(container)) if (nanos > (sums.get(name) ?? 0n)) sums.set(name, nanos)
  return new Map([...sums].map(([name, nanos]) => [name, { nanos }]))
}

/** What a node can give when nobody has anything of it. */
export function allocatable({ status }: Node, resource: string): Quantity {
  return { nanos: toNanos(status?.allocatable?.[resource] ?? '0') }
}

/** An empty node would do. */
export function isLargeEnough(node: Node, requests: ReadonlyMap<string, Quantity>): boolean {
  return [...requests].every(([resource, { nanos }]) => allocatable(node, resource).nanos >= nanos)
}

function toNanos(text: string): bigint {
  return parseQuantity(text)?.nanos ?? 0n
}
