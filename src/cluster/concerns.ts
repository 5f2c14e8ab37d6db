/** Who writes which fields (server-side apply): one for each concern, so that none of them takes back what another one said. */
export const managers = {
  /** All that a spec says, but for the number of replicas. */
  spec: 'towline',
  /** `spec.replicas` of a Deployment, and nothing else. */
  scale: 'towline-scale',
  /** The annotation `towline.dev/restarted-at` of a Deployment's template. */
  restart: 'towline-restart',
  /** The annotation `towline.dev/rejected` of a ReplicaSet. */
  verdict: 'towline-verdict',
} as const

export const marks = {
  restartedAt: 'towline.dev/restarted-at',
  /** Of a ReplicaSet: why its revision was given up. A rollback passes it over. */
  rejected: 'towline.dev/rejected',
} as const
