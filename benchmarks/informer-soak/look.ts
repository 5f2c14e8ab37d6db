import type { InformerStats } from '../../src/kube/informer/open-informer.ts'

/** What the process of the informers is started with. */
export interface ObserverSettings {
  readonly kubeconfig: string
  readonly namespace: string
  readonly seed: number
}

export type ObserverOrder = 'Look' | 'Drain' | 'End'

/** `Look`: what is known. `Drain`: the same, after a collection of garbage, and what was told since the last one is forgotten. */
export interface Look {
  readonly kinds: readonly KindLook[]
  readonly process: ProcessLook
}

export interface KindLook {
  readonly plural: string
  readonly stats: Readonly<InformerStats>
  readonly breaches: readonly string[]
  /** `namespace/name` and `uid@version`, in the informer's store. */
  readonly stored: readonly (readonly [string, string])[]
  /** See `Ledger`; only with `Drain`. */
  readonly told: readonly string[]
  /** Versions that a list has passed over, since the last `Drain`: after the first, up to the second. */
  readonly gaps: readonly (readonly [string, string])[]
}

export interface ProcessLook {
  readonly sockets: number
  readonly timers: number
  /** On the signal that all of it shares. */
  readonly listeners: number
  readonly heapBytes: number
  readonly residentBytes: number
}
