import { oneLine } from '../../../base/display.ts'
import { listNames } from '../wording.ts'
import type { Told } from '../cause.ts'
import type { Refusal } from './refusal.ts'

/** Whatever else an API server has against a pod: pod security, limit ranges, an account or a class that is not there, webhooks. */
export function tellPolicy({ why, namespace, account }: Refusal): Told {
  const security = /^violates PodSecurity "([^"]+)": ([^]*)$/.exec(why)
  if (security !== null) {
    const rules = readRules(security[2] ?? '')
    return {
      reason: 'PodSecurityRefused',
      sentence: `namespace ${namespace} demands the pod security level ${security[1]?.split(':')[0]}, and the pods break it: ${listNames(rules, 4)}`,
      advice: 'take out of `pod` what breaks it, or use a namespace with a lower level',
    }
  }
  const missing = /error looking up service account [^/]+\/([^:]+): .*not found/.exec(why)?.[1]
  if (missing !== undefined)
    return {
      reason: 'ServiceAccountMissing',
      sentence: `the ServiceAccount ${missing} does not exist in namespace ${namespace}`,
      advice:
        account === undefined
          ? `create it with \`kubectl create serviceaccount ${missing} -n ${namespace}\``
          : `create it with \`kubectl create serviceaccount ${missing} -n ${namespace}\`, or correct \`pod.serviceAccountName\``,
    }
  const runtime = /RuntimeClass "([^"]+)" not found/.exec(why)?.[1]
  if (runtime !== undefined)
    return {
      reason: 'RuntimeClassMissing',
      sentence: `this cluster has no RuntimeClass ${runtime}, which the pods ask for`,
      advice: `install what brings it (for nvidia: the GPU operator), or take it out with \`pod.patch\``,
    }
  const priority = /no PriorityClass with name (\S+) was found/.exec(why)?.[1]
  if (priority !== undefined)
    return {
      reason: 'PriorityClassMissing',
      sentence: `this cluster has no PriorityClass ${priority}, which the pods ask for`,
      advice: 'create it, or take it out of `pod.patch`',
    }
  const range =
    /(maximum|minimum) (\S+) usage per (Container|Pod) is (\S+?)(?:, but (limit|request) is (\S+?)\.?)?$/.exec(why)
  if (range !== null) {
    const [, bound = '', resource = '', scope = '', limit = '', , asked] = range
    return {
      reason: 'LimitRangeRefused',
      sentence: `a LimitRange of namespace ${namespace} gives a ${scope.toLowerCase()} ${bound === 'maximum' ? 'at most' : 'at least'} ${limit} of ${resource}${asked === undefined ? '' : `, and ${asked} is asked for`}`,
      advice: `${bound === 'maximum' ? 'lower' : 'raise'} \`resources.${resource}\`, or ask for another LimitRange (\`kubectl describe limitrange -n ${namespace}\`)`,
    }
  }
  const webhook = /^admission webhook "([^"]+)" denied the request: ([^]*)$/.exec(why)
  if (webhook !== null)
    return {
      reason: 'PolicyRefused',
      sentence: `the policy ${webhook[1]} of this cluster refuses the pods: ${oneLine(webhook[2] ?? '')}`,
      advice: 'change what it names in the spec, or ask whoever keeps the policy',
    }
  const late = /failed calling webhook "([^"]+)"/.exec(why)?.[1]
  if (late !== undefined)
    return {
      reason: 'WebhookUnreachable',
      sentence: `no pod can be made, because the admission webhook ${late} of this cluster does not answer`,
      advice: 'see to it that what serves the webhook runs; the controller tries again by itself',
      final: false,
    }
  return {
    reason: 'PodsRefused',
    sentence: `the cluster refuses to make its pods: ${oneLine(why)}`,
    advice: 'change what it names in the spec',
  }
}

/** `allowPrivilegeEscalation != false (container …), …` → the rules, without whom they concern. */
function readRules(text: string): string[] {
  return text.split(/\), ?|\)$/).flatMap((part) => {
    const rule = part.split(' (')[0]?.trim() ?? ''
    return rule === '' ? [] : [rule]
  })
}
