import type { Container } from 'kubernetes-types/core/v1.js'
import { oneLine } from '../../../base/display.ts'
import type { Told } from '../cause.ts'
import { firstSeenMs } from '../event-time.ts'
import type { PodRule } from '../sight.ts'

/** A container cannot be made as it is asked for: mostly a Secret, a ConfigMap or a key in one that is not there. */
export const findUnmadeContainer: PodRule = (pod, { look: { namespace } }) => {
  for (const { spec, status } of pod.containers) {
    const { reason, message = '' } = status?.state?.waiting ?? {}
    if (reason !== 'CreateContainerConfigError' && reason !== 'CreateContainerError') continue
    const event = pod.events.find(({ note = '' }) => note === `Error: ${message}`)
    return {
      ...(tellMissing(message, spec, namespace) ?? tellRoot(message) ?? tellOther(message)),
      evidence: [`${reason}: ${oneLine(message)}`],
      final: true,
      sinceMs: event === undefined ? pod.createdMs : firstSeenMs(event),
      blocks: 'Rollout',
    }
  }
  return undefined
}

function tellMissing(message: string, container: Container, namespace: string): Told | undefined {
  const gone = /^(secret|configmap) "([^"]+)" not found/.exec(message)
  if (gone !== null) {
    const [, word, name = ''] = gone
    const kind = word === 'secret' ? 'Secret' : 'ConfigMap'
    return {
      reason: `${kind}Missing`,
      sentence: `the ${kind} ${name} does not exist in namespace ${namespace}`,
      advice: `create it, or correct the name in \`env\`${tellUsers(container, kind, name)}`,
    }
  }
  const key = /^couldn't find key (\S+) in (Secret|ConfigMap) [^/]+\/(\S+)/.exec(message)
  if (key === null) return undefined
  const [, keyName = '', kind = '', name = ''] = key
  return {
    reason: `${kind}KeyMissing`,
    sentence: `the ${kind} ${name} in namespace ${namespace} has no key ${keyName}`,
    advice: `add the key, or correct it in \`env\`${tellUsers(container, kind, name)}`,
  }
}

/** ` (TOKEN)`: the variables that want it. */
function tellUsers({ env = [] }: Container, kind: string, name: string): string {
  const users = env.filter(({ valueFrom }) => {
    const from = kind === 'Secret' ? valueFrom?.secretKeyRef : valueFrom?.configMapKeyRef
    return from?.name === name
  })
  return users.length === 0 ? '' : ` (${users.map((entry) => entry.name).join(', ')})`
}

function tellRoot(message: string): Told | undefined {
  if (!message.includes('runAsNonRoot')) return undefined
  return {
    reason: 'RootRefused',
    sentence: message.includes('non-numeric user')
      ? 'the image names its user in letters, so the node cannot tell that it is not root'
      : 'the image wants to run as root, which the pod forbids (runAsNonRoot)',
    advice: 'build the image with a numeric user other than 0, as `towline build` does',
  }
}

function tellOther(message: string): Told {
  return {
    reason: 'ContainerNotCreated',
    sentence: `the node cannot make the container: ${oneLine(message)}`,
    advice: 'correct what it names in `pod` or `env`',
  }
}
