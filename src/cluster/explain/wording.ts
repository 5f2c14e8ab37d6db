import { parseQuantity, renderQuantity } from '../../base/quantity.ts'

/** `a`, `a and b`, `a, b and 3 more`. */
export function listNames(names: readonly string[], most = 3): string {
  const shown = names.slice(0, most)
  const more = names.length - shown.length
  if (more > 0) return `${shown.join(', ')} and ${more} more`
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`
}

/** 1, `replica` → `1 replica`; 2 → `2 replicas`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

/** A digest says nothing to a person: six digits are enough to tell two apart. */
export function shortenImage(image: string): string {
  return image.replace(/@sha256:([0-9a-f]{6})[0-9a-f]*$/, '@sha256:$1…')
}

/** The host that an image comes from, as container runtimes read it. */
export function registryOf(image: string): string {
  const [first = '', ...rest] = image.split('/')
  return rest.length > 0 && (/[.:]/.test(first) || first === 'localhost') ? first : 'docker.io'
}

/** How people call what a pod asks for, and the field that says it. */
export function nameResource(resource: string): { readonly noun: string; readonly field: string } {
  const base = resource.replace(/^(requests|limits)\./, '')
  if (base === 'cpu') return { noun: 'CPU', field: resource === 'limits.cpu' ? 'resources.cpuLimit' : 'resources.cpu' }
  if (base === 'memory') return { noun: 'memory', field: 'resources.memory' }
  if (base === 'ephemeral-storage') return { noun: 'disk of its own', field: 'pod.patch' }
  if (base === 'pods' || base === 'count/pods') return { noun: 'pods', field: 'replicas' }
  if (base.includes('/')) return { noun: base, field: 'gpu.count' }
  return { noun: base, field: 'the spec' }
}

/** Twice as much memory in whole steps of 64Mi: a first try that is seldom too little again. */
export function suggestMemory(limit: string): string | undefined {
  const quantity = parseQuantity(limit)
  if (quantity === undefined) return undefined
  const stepNanos = (64n << 20n) * 1_000_000_000n
  const nanos = ((quantity.nanos * 2n + stepNanos - 1n) / stepNanos) * stepNanos
  return renderQuantity({ nanos })
}
