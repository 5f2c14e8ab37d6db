/** What our rules refuse and the custom resource does not, each with the reason; nothing else is. */
export interface OutOfReach {
  readonly spec: Readonly<Record<string, unknown>>
  readonly why: string
}

const patch = (patch: unknown): OutOfReach['spec'] => ({ pod: { patch } })

const pruned = 'the API server takes a null away before any rule sees it, so what it would have taken away stays'
const deeper = 'rules see what a schema names, and the schema of a patch names the places that a template of pods has'

export const outOfReach: readonly OutOfReach[] = [
  { spec: patch({ spec: { volumes: null } }), why: pruned },
  { spec: patch({ spec: { containers: [{ name: 'server', livenessProbe: null }] } }), why: pruned },
  { spec: patch({ metadata: { labels: null } }), why: pruned },
  { spec: patch({ spec: { ephemeralContainers: [{ image: 'a' }] } }), why: deeper },
  { spec: patch({ labels: { 'towline.dev/service': 'a' } }), why: deeper },
  { spec: patch({ spec: { volumes: [{ name: 'a', configMap: { image: 'a' } }] } }), why: deeper },
  {
    spec: { pod: { nodeSelector: { ['k'.repeat(318)]: 'a' } } },
    why: 'a schema of a cluster has no bound for names of fields; the pod is refused',
  },
]
