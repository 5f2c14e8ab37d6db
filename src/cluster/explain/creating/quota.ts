import type { ResourceQuota } from 'kubernetes-types/core/v1.js'
import { oneLine } from '../../../base/display.ts'
import { parseQuantity } from '../../../base/quantity.ts'
import { listNames, nameResource } from '../wording.ts'
import type { Told } from '../cause.ts'
import type { Refusal } from './refusal.ts'

/** A ResourceQuota has no room, or counts what the pods do not state. */
export function tellQuota({ why, namespace }: Refusal, quotas: readonly ResourceQuota[]): Told | undefined {
  const unstated = /^failed quota: ([^:]+): must specify (.+)$/.exec(why)
  if (unstated !== null) {
    const [, quota = '', list = ''] = unstated
    const resources = [
      ...new Set([...list.matchAll(/(?:limits|requests)\.[a-z0-9./-]+|\b(?:cpu|memory)\b/g)].map(([name]) => name)),
    ]
    const fields = [...new Set(resources.map((resource) => nameResource(resource).field))]
    return {
      reason: 'QuotaNeedsValue',
      sentence: `the quota ${quota} of namespace ${namespace} counts ${listNames(resources)}, which its pods do not state`,
      advice: `set ${listNames(fields.map((field) => `\`${field}\``))}`,
    }
  }
  const exceeded = /^exceeded quota: ([^,]+), requested: (.+), used: (.+), limited: (.+)$/.exec(why)
  if (exceeded === null) return undefined
  const [, name = '', ...lists] = exceeded
  const [requested, used, limited] = lists.map(readList)
  if (requested === undefined || used === undefined || limited === undefined) return undefined
  const resources = [...requested.keys()]
  const parts = resources.map(
    (resource) =>
      `${used.get(resource)} of ${limited.get(resource)} ${resource} used, ${requested.get(resource)} more asked for`,
  )
  const told = {
    reason: 'QuotaExceeded',
    sentence: `the quota ${name} of namespace ${namespace} has no room for one pod more: ${parts.join('; ')}`,
  }
  const quota = quotas.find(({ metadata }) => metadata?.name === name)
  if (quota !== undefined && resources.every((resource) => fits(quota, resource, requested.get(resource) ?? '0')))
    // The controller tries again ever more seldom, and has not noticed.
    return {
      ...told,
      advice: 'wait: there is room by now, and the controller tries again within minutes',
      final: false,
    }
  const fields = [...new Set(resources.map((resource) => nameResource(resource).field))].filter(
    (field) => field !== 'replicas',
  )
  return {
    ...told,
    advice: `lower ${listNames([...fields, 'replicas'].map((field) => `\`${field}\``)).replace(' and ', ' or ')}, or ask for a larger quota (\`kubectl describe quota ${oneLine(name)} -n ${namespace}\`)`,
  }
}

/** `requests.cpu=1,pods=2` */
function readList(text: string): ReadonlyMap<string, string> {
  return new Map(text.split(',').map((part) => part.split('=') as [string, string]))
}

function fits({ status }: ResourceQuota, resource: string, more: string): boolean {
  const [hard, used, asked] = [status?.hard?.[resource], status?.used?.[resource], more].map((text) =>
    parseQuantity(text ?? ''),
  )
  if (hard === undefined || used === undefined || asked === undefined) return false
  return used.nanos + asked.nanos <= hard.nanos
}
