/** What the scheduler said of one kind of hindrance, and of how many nodes. */
export interface Hindrance {
  readonly nodes: number
  readonly text: string
}

export interface SchedulerMessage {
  /** Of the cluster. Undefined: the text was not understood. */
  readonly total: number | undefined
  readonly hindrances: readonly Hindrance[]
  /** Before it came to nodes: volume claims, for instance. */
  readonly text: string
}

/**
 * Reads `0/6 nodes are available: 1 node(s) had untolerated taint(s), 5 Insufficient cpu. no new claims …, preemption: …`. The
 * part about preemption says nothing that helps a person.
 */
export function readSchedulerMessage(message: string): SchedulerMessage {
  const head = /^(\d+)\/(\d+) nodes are available: ([^]*)$/.exec(message)
  if (head === null) return { total: undefined, hindrances: [], text: message }
  const [, , total, rest = ''] = head
  const body = rest.split(/\.? (?:no new claims to deallocate|preemption:)/)[0] ?? ''
  const text = body.replace(/[.,]\s*$/, '')
  const hindrances = splitList(text).flatMap((part) => {
    const said = /^(\d+) ([^]+)$/.exec(part)
    return said === null ? [] : [{ nodes: Number(said[1]), text: said[2] ?? '' }]
  })
  return { total: Number(total), hindrances, text }
}

/** At commas outside of braces: older schedulers write taints as `{key: value, …}`. */
function splitList(text: string): string[] {
  return text.split(/, (?=\d+ )(?![^{]*\})/)
}

/** `nvidia.com/gpu` of `Insufficient nvidia.com/gpu`. */
export function readInsufficient({ text }: Hindrance): string | undefined {
  if (text.startsWith('Too many pods')) return 'pods'
  return /^Insufficient (\S+)$/.exec(text)?.[1]
}
