import type { ScalingBehavior, ScalingRules } from '../../spec/service.ts'

export interface Behavior {
  readonly scaleUp: ScalingRules
  readonly scaleDown: ScalingRules
}

/** The controller manager's `--horizontal-pod-autoscaler-downscale-stabilization`. */
export const defaultDownStabilizationSeconds = 300

/** Whatever is left out keeps its default, field by field. */
export function resolveBehavior(
  { scaleUp, scaleDown }: ScalingBehavior,
  downStabilizationSeconds = defaultDownStabilizationSeconds,
): Behavior {
  return {
    scaleUp: {
      stabilizationWindowSeconds: 0,
      selectPolicy: 'Max',
      policies: [
        { type: 'Pods', value: 4, periodSeconds: 15 },
        { type: 'Percent', value: 100, periodSeconds: 15 },
      ],
      ...scaleUp,
    },
    scaleDown: {
      stabilizationWindowSeconds: downStabilizationSeconds,
      selectPolicy: 'Max',
      policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
      ...scaleDown,
    },
  }
}
