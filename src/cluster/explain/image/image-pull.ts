import type { Told } from '../cause.ts'
import { firstSeenMs } from '../event-time.ts'
import type { PodRule, PodSight } from '../sight.ts'
import { registryOf, shortenImage } from '../wording.ts'
import { type PullFailure, readPullFailure } from './pull-failure.ts'

/** What may pass by itself is given this long before it counts as what will not. */
const patienceMs = 30_000

/** The image of a container cannot be pulled. */
export const findPullFailure: PodRule = (pod, { nowMs, look }) => {
  for (const { spec, status } of pod.containers) {
    const { reason, message = '' } = status?.state?.waiting ?? {}
    if (reason !== 'ErrImagePull' && reason !== 'ImagePullBackOff' && reason !== 'RegistryUnavailable') continue
    // While it backs off, older kubelets no longer say why; the event does.
    const event = pod.events.findLast(({ note = '' }) => note.startsWith('Failed to pull image'))
    const told = readPullFailure(message)
    const failure = told.kind === 'Other' && event?.note !== undefined ? readPullFailure(event.note) : told
    const sinceMs = event === undefined ? pod.createdMs : firstSeenMs(event)
    const mayPass =
      ['Limited', 'Unreachable', 'Other'].includes(failure.kind) || (failure.kind === 'HostUnknown' && !failure.isSure)
    // Without the runtime's words there is nothing to hope for either: it has been tried more than once.
    const final =
      !mayPass || nowMs - sinceMs >= patienceMs || (failure.kind === 'Other' && reason === 'ImagePullBackOff')
    return {
      ...tellPullFailure(failure, spec.image ?? '', pod, look.namespace),
      evidence: [`${reason}: ${failure.text}`],
      final,
      sinceMs,
      blocks: 'Rollout',
    }
  }
  return undefined
}

function tellPullFailure(failure: PullFailure, image: string, pod: PodSight, namespace: string): Told {
  const name = shortenImage(image)
  const registry = registryOf(image)
  switch (failure.kind) {
    case 'Missing':
      return {
        reason: 'ImageMissing',
        sentence: `the image ${name} does not exist`,
        advice: `push it to ${registry}, or correct \`image\``,
      }
    case 'Refused':
      return {
        reason: 'ImageRefused',
        sentence: `the registry ${registry} refuses to give the image ${name}${failure.status === undefined ? '' : ` (${failure.status})`}`,
        advice: `${adviseSecret(pod, namespace)}; some registries refuse an image that does not exist, too`,
      }
    case 'Limited':
      return {
        reason: 'ImagePullLimited',
        sentence: `the registry ${registry} gives no more images for now: too many were pulled`,
        advice:
          'wait: the node tries again by itself; credentials in `pod.imagePullSecrets` raise the limit at most registries',
      }
    case 'HostUnknown':
      return {
        reason: 'ImageHostUnknown',
        sentence: failure.isSure
          ? `there is no registry ${failure.host}: its name has no address`
          : `the node finds no address for the registry ${failure.host}: its resolver does not answer`,
        advice: failure.isSure
          ? 'correct the host in `image`, or see to it that the nodes know this name'
          : 'wait: the node tries again by itself; see to its DNS if it stays so',
      }
    case 'Unreachable':
      return {
        reason: 'ImageRegistryUnreachable',
        sentence: `the registry ${registry} does not answer the node: ${failure.why}`,
        advice: 'see to it that the registry runs and that nodes reach it; they try again by themselves',
      }
    case 'Untrusted':
      return {
        reason: 'ImageRegistryUntrusted',
        sentence: `the node does not trust the registry ${registry}: ${failure.why}`,
        advice: 'give the nodes the certificate of its authority, or use a registry that they trust',
      }
    case 'PlatformMissing':
      return {
        reason: 'ImagePlatformMissing',
        sentence: `the image ${name} was not built for the platform of the node`,
        advice:
          'build it for that platform with `towline build --platform`, or choose other nodes with `pod.nodeSelector`',
      }
    case 'DiskFull':
      return {
        reason: 'NodeDiskFull',
        sentence: `the disk of the node ${pod.pod.spec?.nodeName ?? ''} has no room for the image ${name}`,
        advice: 'free its disk, or choose other nodes with `pod.nodeSelector`',
      }
    case 'Other':
      return {
        reason: 'ImagePullFailed',
        sentence: `the image ${name} cannot be pulled`,
        advice: `see to it that \`image\` is right, and that nodes can pull it from ${registry}`,
      }
  }
}

function adviseSecret({ pod }: PodSight, namespace: string): string {
  const secrets = (pod.spec?.imagePullSecrets ?? []).flatMap(({ name }) => name ?? [])
  return secrets.length === 0
    ? 'name a Secret with credentials for it in `pod.imagePullSecrets` (there is none now)'
    : `see to it that the Secret ${secrets.join(' or ')} in namespace ${namespace} exists and may pull it`
}
