import type { Container, PodSpec } from 'kubernetes-types/core/v1.js'
import { parseQuantity, quantityMillis, quantityUnits } from '../../base/quantity.ts'
import type { Amounts } from '../../decide/placement/facts.ts'

/** What is left out of `kubernetes-types` so far: a pod's own amounts stand above those of its containers. */
interface PodResources {
  readonly resources?: { readonly requests?: Record<string, string>; readonly limits?: Record<string, string> }
}

export interface PodAmounts {
  readonly requests: Amounts
  readonly limits: Amounts
}

/** Quantities as numbers: thousandths of a core for `cpu`, whole units otherwise. What is no quantity counts as none. */
export function toAmounts(quantities: Readonly<Record<string, string | number>> = {}): Amounts {
  return Object.fromEntries(
    Object.entries(quantities).map(([name, text]) => {
      const quantity = parseQuantity(String(text))
      if (quantity === undefined) return [name, 0]
      return [name, /^((requests|limits)\.)?cpu$/.test(name) ? quantityMillis(quantity) : quantityUnits(quantity)]
    }),
  )
}

/** What a pod holds on its node, as the scheduler counts it: its containers together, or the step of its start that takes most. */
export function amountsOfPod(spec: PodSpec & PodResources): PodAmounts {
  const own = { requests: toAmounts(spec.resources?.requests), limits: toAmounts(spec.resources?.limits) }
  const overhead = toAmounts(spec.overhead)
  return {
    requests: { ...add({ ...sumUp(spec, requestsOf), ...own.limits, ...own.requests }, overhead), pods: 1 },
    limits: add({ ...sumUp(spec, limitsOf), ...own.limits }, overhead),
  }
}

/** A limit without a request is a request as well. */
function requestsOf({ resources }: Container): Amounts {
  return { ...toAmounts(resources?.limits), ...toAmounts(resources?.requests) }
}

function limitsOf({ resources }: Container): Amounts {
  return toAmounts(resources?.limits)
}

function sumUp({ containers, initContainers = [] }: PodSpec, of: (container: Container) => Amounts): Amounts {
  let sidecars: Amounts = {}
  let start: Amounts = {}
  for (const container of initContainers) {
    // One that is kept running stays beside all that come after it.
    const step = add(sidecars, of(container))
    if (container.restartPolicy === 'Always') sidecars = step
    start = combine(start, step, Math.max)
  }
  return combine(start, containers.map(of).reduce(add, sidecars), Math.max)
}

function add(a: Amounts, b: Amounts): Amounts {
  return combine(a, b, (left, right) => left + right)
}

function combine(a: Amounts, b: Amounts, how: (left: number, right: number) => number): Amounts {
  const names = new Set([...Object.keys(a), ...Object.keys(b)])
  return Object.fromEntries([...names].map((name) => [name, how(a[name] ?? 0, b[name] ?? 0)]))
}
