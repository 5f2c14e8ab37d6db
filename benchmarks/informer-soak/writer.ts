import { TowlineError } from '../../src/base/errors.ts'
import { systemClock } from '../../src/base/clock.ts'
import type { KubeClient } from '../../src/kube/kube-client.ts'
import type { KubeObject, Resource } from '../../src/kube/object.ts'
import { resources } from '../../src/kube/resources.ts'

/** A write that the API server has confirmed, of an object that is selected. */
export interface Confirmed {
  readonly plural: string
  /** `uid@version`, or `uid@gone`. */
  readonly what: string
  /** The version that was written; for a removal the one since which the object was selected. */
  readonly version: string
}

interface Live {
  readonly uid: string
  /** The version since which it is selected; undefined where it is not, or where the answer to a write did not arrive. */
  readonly since: string | undefined
}

export interface Writer {
  /** Writes until the signal; failures of the server are passed over, since it is being broken on purpose. */
  run(signal: AbortSignal): Promise<void>
  /** Confirmed since the last call. */
  drain(): Confirmed[]
  readonly counts: { created: number; changed: number; removed: number; failed: number }
}

const unknown: Live = { uid: '', since: undefined }
const everyMs = 50
const mostPods = 25
const mostSettings = 60
/** Larger than a record of TLS (16 KiB), so that a line of a watch can be cut inside. */
const largeBytes = 50_000

/** Creates, changes and removes ConfigMaps and pods, about twenty writes a second, straight at the API server. */
export function createWriter(client: KubeClient, random: () => number): Writer {
  const pods = new Map<string, Live>()
  const settings = new Map<string, Live>()
  const liveOf = ({ kind }: Resource): Map<string, Live> => (kind === 'Pod' ? pods : settings)
  const counts = { created: 0, changed: 0, removed: 0, failed: 0 }
  let confirmed: Confirmed[] = []
  let serial = 0

  const create = async (resource: Resource, signal: AbortSignal): Promise<void> => {
    // Names come back, as those of a StatefulSet do.
    const name = random() < 0.3 ? `again-${Math.floor(random() * 20)}` : `once-${++serial}`
    const names = liveOf(resource)
    if (names.has(name)) return
    names.set(name, unknown)
    const group = `g${Math.floor(random() * 4)}`
    const object = resource.kind === 'Pod' ? writePod(name, group) : writeSettings(name, group, random)
    const { metadata } = await client.create(resource, object, { signal })
    const { uid = '', resourceVersion: version = '' } = metadata ?? {}
    names.set(name, { uid, since: version })
    counts.created++
    confirmed.push({ plural: resource.plural, what: `${uid}@${version}`, version })
  }
  const change = async (resource: Resource, name: string, signal: AbortSignal): Promise<void> => {
    const names = liveOf(resource)
    const { since } = names.get(name) ?? unknown
    names.set(name, unknown)
    const isSelected = resource.kind === 'Pod' || random() < 0.9
    const labels = { soak: isSelected ? 'yes' : 'no', turn: String(++serial) }
    const { metadata } = await client.merge(resource, name, { metadata: { labels } }, { signal })
    const { uid = '', resourceVersion: version = '' } = metadata ?? {}
    counts.changed++
    if (!isSelected) return
    names.set(name, { uid, since: since ?? version })
    confirmed.push({ plural: resource.plural, what: `${uid}@${version}`, version })
  }
  const remove = async (resource: Resource, name: string, signal: AbortSignal): Promise<void> => {
    const names = liveOf(resource)
    const { uid, since } = names.get(name) ?? unknown
    const isRemoved = await client.remove(resource, name, { signal })
    names.delete(name)
    counts.removed++
    // A pod goes later, by its node.
    if (resource.kind !== 'Pod' && isRemoved && since !== undefined)
      confirmed.push({ plural: resource.plural, what: `${uid}@gone`, version: since })
  }
  const write = async (signal: AbortSignal): Promise<void> => {
    const [resource, most] = random() < 0.2 ? [resources.pods, mostPods] : [resources.configMaps, mostSettings]
    const names = [...liveOf(resource).keys()]
    const name = names[Math.floor(random() * names.length)]
    const luck = random()
    if (name === undefined || (luck < 0.3 && names.length < most)) await create(resource, signal)
    else await (luck > 0.75 ? remove : change)(resource, name, signal)
  }

  return {
    counts,
    run: async (signal) => {
      while (!signal.aborted) {
        try {
          await write(signal)
          await systemClock.sleep(everyMs * 2 * random(), signal)
        } catch (error) {
          if (signal.aborted) return
          if (!(error instanceof TowlineError)) throw error
          counts.failed++
        }
      }
    },
    drain: () => {
      const drained = confirmed
      confirmed = []
      return drained
    },
  }
}

function writeSettings(name: string, group: string, random: () => number): KubeObject {
  const text = 'x'.repeat(random() < 0.1 ? largeBytes : 100)
  const metadata = { name, labels: { soak: 'yes', group } }
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { text } } as KubeObject
}

function writePod(name: string, group: string): KubeObject {
  const metadata = { name, labels: { soak: 'yes', group } }
  // On a node from the start: a scheduler that meets such faults may give itself up, and it is not what is tried here.
  const spec = {
    nodeName: 'fake-1',
    containers: [{ name: 'main', image: 'nothing' }],
    terminationGracePeriodSeconds: 1,
  }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec } as KubeObject
}
