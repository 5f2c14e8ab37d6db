/** `spec.behavior` of HPA v2, with its own names. */
export interface ScalingPolicy {
  readonly type: 'Pods' | 'Percent'
  readonly value: number
  readonly periodSeconds: number
}

export interface ScalingRules {
  readonly stabilizationWindowSeconds: number
  readonly selectPolicy: 'Max' | 'Min' | 'Disabled'
  readonly policies: readonly ScalingPolicy[]
  /** Share of the target; absent: the controller's. */
  readonly tolerance?: number
}

export interface Behavior {
  readonly scaleUp: ScalingRules
  readonly scaleDown: ScalingRules
}

/** As people write it: whatever is left out keeps its default, field by field. */
export interface BehaviorInput {
  readonly scaleUp?: Partial<ScalingRules>
  readonly scaleDown?: Partial<ScalingRules>
}

/** The controller manager's `--horizontal-pod-autoscaler-downscale-stabilization`. */
export const defaultDownStabilizationSeconds = 300

export function resolveBehavior(
  { scaleUp, scaleDown }: BehaviorInput,
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
