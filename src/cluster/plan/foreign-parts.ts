import type { KubeObject } from '../../kube/object.ts'
import { containerName } from '../../render/container.ts'
import { managers } from '../concerns.ts'

const ours = new Set<string>(Object.values(managers))

type Fields = Readonly<Record<string, unknown>>

/** Lists of a pod whose items have names, and what stands for them in a message. */
const listsOfPod = ['containers', 'initContainers', 'volumes'] as const
const listsOfContainer = ['env', 'volumeMounts'] as const
/** What places pods, or takes them out of their shell. */
const fieldsOfPod = ['nodeSelector', 'affinity', 'tolerations', 'hostNetwork', 'hostPID'] as const

/**
 * Pure: what a Deployment's pods have that somebody added beside the spec, by `metadata.managedFields`: `containers[proxy] (kubectl-edit)`.
 * An apply leaves such parts as they are.
 */
export function listForeignParts({ metadata }: KubeObject): readonly string[] {
  const owners = (metadata?.managedFields ?? []).filter(({ subresource = '' }) => subresource === '')
  const partsOf = (mine: boolean): (readonly [string, string])[] =>
    owners
      .filter(({ manager = '' }) => ours.has(manager) === mine)
      .flatMap(({ manager = 'somebody', fieldsV1 }) =>
        listParts(inside(fieldsV1, 'spec', 'template', 'spec')).map((part) => [part, manager] as const),
      )
  const own = new Set(partsOf(true).map(([part]) => part))
  const foreign = partsOf(false).filter(([part]) => !own.has(part))
  return [...new Set(foreign.map(([part, manager]) => `${part} (${manager})`))].toSorted()
}

function listParts(pod: Fields): readonly string[] {
  const server = Object.entries(inside(pod, 'containers')).find(([key]) => nameIn(key) === containerName)?.[1] ?? {}
  return [
    ...listsOfPod.flatMap((list) => itemsOf(pod, list)),
    ...listsOfContainer.flatMap((list) => itemsOf(server as Fields, list)), // fieldsV1 has objects throughout
    ...fieldsOfPod.filter((field) => `f:${field}` in pod),
  ]
}

function itemsOf(fields: Fields, list: string): readonly string[] {
  return Object.keys(inside(fields, list)).flatMap((key) => {
    const name = nameIn(key)
    return name === undefined ? [] : [`${list}[${name}]`]
  })
}

/** `k:{"name":"proxy"}`, `k:{"mountPath":"/work"}` */
function nameIn(key: string): string | undefined {
  if (!key.startsWith('k:')) return undefined
  const { name, mountPath } = JSON.parse(key.slice(2)) as { name?: string; mountPath?: string } // written by the server
  return name ?? mountPath
}

function inside(fields: unknown, ...path: readonly string[]): Fields {
  return path.reduce<Fields>((at, field) => (at[`f:${field}`] ?? {}) as Fields, (fields ?? {}) as Fields)
}
