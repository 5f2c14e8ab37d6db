import { oneLine } from '../../../base/display.ts'
import { firstSeenMs } from '../event-time.ts'
import type { PodRule } from '../sight.ts'
import { shortenImage } from '../wording.ts'

/** The name of an image is none, or its pull policy forbids to pull what the node does not have. */
export const findUnusableReference: PodRule = (pod) => {
  for (const { spec, status } of pod.containers) {
    const { reason, message = '' } = status?.state?.waiting ?? {}
    const image = spec.image ?? ''
    const event = pod.events.find(({ note = '' }) => note === `Error: ${reason}` || note === message)
    const rest = {
      evidence: [`${reason}: ${oneLine(message)}`],
      final: true,
      sinceMs: event === undefined ? pod.createdMs : firstSeenMs(event),
      blocks: 'Rollout',
    } as const
    if (reason === 'InvalidImageName' || reason === 'InspectFailed') {
      const why = /invalid reference format(?:: (.+))?/.exec(message)?.[1]
      return {
        ...rest,
        reason: 'ImageNameInvalid',
        sentence: `\`${image}\` is no name of an image${why === undefined ? '' : `: ${oneLine(why)}`}`,
        advice: 'correct `image`: it is written as HOST/NAME@sha256:…',
      }
    }
    if (reason === 'ErrImageNeverPull') {
      return {
        ...rest,
        reason: 'ImageNeverPulled',
        sentence: `the node does not have the image ${shortenImage(image)}, and its pull policy is Never`,
        advice: 'load the image onto the nodes, or take `imagePullPolicy: Never` out of `pod.patch`',
      }
    }
  }
  return undefined
}
