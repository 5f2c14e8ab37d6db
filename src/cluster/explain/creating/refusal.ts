/** A pod that the API server did not take. */
export interface Refusal {
  /** In its words, without the pod's name. */
  readonly why: string
  readonly namespace: string
  readonly account: string | undefined
}
