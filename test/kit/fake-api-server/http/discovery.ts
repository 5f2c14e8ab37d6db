import type { Kind } from '../objects/kind.ts'
import type { World } from '../objects/world.ts'
import { type Answer, json, text } from './exchange.ts'

const release = { major: '1', minor: '35', gitVersion: 'v1.35.4' }
const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

export function showVersion(): Answer {
  return json(200, { ...release, gitCommit: '', gitTreeState: 'clean', platform: 'linux/amd64' })
}

/** `/api`, `/apis` */
export function showGroups({ kinds }: World, path: string): Answer {
  if (path === '/api') return json(200, { kind: 'APIVersions', versions: ['v1'] })
  const named = Map.groupBy(
    kinds().filter(({ group }) => group !== ''),
    ({ group }) => group,
  )
  const groups = [...named].map(([name, members]) => {
    const versions = [...new Set(members.map(({ version }) => version))].map((version) => ({
      groupVersion: `${name}/${version}`,
      version,
    }))
    return { name, versions, preferredVersion: versions[0] }
  })
  return json(200, { kind: 'APIGroupList', apiVersion: 'v1', groups })
}

/** The kinds of one group and version; 404 in plain text where there are none. */
export function showKinds({ kinds }: World, group: string, version: string): Answer {
  const members = kinds().filter((kind) => kind.group === group && kind.version === version)
  const [first] = members
  if (first === undefined) return text(404, '404 page not found\n')
  const groupVersion = first.apiVersion
  return json(200, { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: members.flatMap(showKind) })
}

function showKind({ plural, kind, namespaced, hasStatus, hasScale }: Kind): readonly object[] {
  const shared = { singularName: kind.toLowerCase(), namespaced, kind }
  const part = (name: string, more: object = {}): object => ({
    ...shared,
    name: `${plural}/${name}`,
    singularName: '',
    verbs: ['get', 'patch', 'update'],
    ...more,
  })
  return [
    { ...shared, name: plural, verbs },
    ...(hasStatus ? [part('status')] : []),
    ...(hasScale ? [part('scale', { kind: 'Scale', group: 'autoscaling', version: 'v1' })] : []),
    ...(plural === 'pods'
      ? [part('eviction', { kind: 'Eviction', verbs: ['create'] }), part('log', { verbs: ['get'] })]
      : []),
  ]
}
