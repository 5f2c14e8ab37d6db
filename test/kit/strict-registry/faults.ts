import type { RequestKind } from './route.ts'

/** What goes wrong with one request. */
export type Fault =
  /** Answered so, once the body was read and thrown away; nothing is done. */
  | { readonly kind: 'Status'; readonly status: 429 | 500 | 502 | 503; readonly retryAfterSeconds?: number }
  /** The connection ends after that many bytes of the request's body. */
  | { readonly kind: 'CutRequest'; readonly afterBytes: number }
  /** The connection ends after that many bytes of the answer's body; an answer with none is not sent at all. */
  | { readonly kind: 'CutAnswer'; readonly afterBytes: number }
  /** The work is done and nobody hears of it. */
  | { readonly kind: 'CutBeforeAnswer' }
  /** The upload that the request is about is gone before it is served. */
  | { readonly kind: 'ForgetUpload' }

export interface FaultedRequest {
  readonly kind: RequestKind
  /** Of its kind, from 1. */
  readonly number: number
  readonly bodyBytes: number
}

export type FaultSource = (request: FaultedRequest) => Fault | undefined

export interface PlannedFault {
  readonly on: RequestKind
  /** Which request of that kind, from 1; the first when left out. */
  readonly number?: number
  /** How many from there on; one when left out. */
  readonly times?: number
  readonly fault: Fault
}

export function planFaults(plan: readonly PlannedFault[]): FaultSource {
  return ({ kind, number }) =>
    plan.find(({ on, number: first = 1, times = 1 }) => on === kind && number >= first && number < first + times)?.fault
}

/** One request in so many goes wrong, in any way that can happen to it. `random` gives numbers from 0 to below 1. */
export function drawFaults(random: () => number, perThousand: number): FaultSource {
  return ({ kind, bodyBytes }) => {
    if (random() * 1000 >= perThousand) return undefined
    const faults: Fault[] = [
      { kind: 'Status', status: 429, retryAfterSeconds: Math.floor(random() * 3) },
      { kind: 'Status', status: 500 },
      { kind: 'Status', status: 502 },
      { kind: 'Status', status: 503 },
      { kind: 'CutBeforeAnswer' },
      { kind: 'CutRequest', afterBytes: Math.floor(random() * bodyBytes) },
      { kind: 'CutAnswer', afterBytes: Math.floor(random() * 64) },
      ...(isAboutUpload(kind) ? ([{ kind: 'ForgetUpload' }] as const) : []),
    ]
    return faults[Math.floor(random() * faults.length)]
  }
}

function isAboutUpload(kind: RequestKind): boolean {
  return kind === 'UploadGet' || kind === 'UploadPatch' || kind === 'UploadPut'
}
