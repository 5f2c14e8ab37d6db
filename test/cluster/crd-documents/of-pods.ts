import type { Refusal } from './refusal.ts'

const patch = (patch: unknown, field: string): Omit<Refusal, 'name'> => ({
  spec: { pod: { patch } },
  field: `spec.pod.patch${field}`,
})

const guarded = {
  livenessProbe: {},
  readinessProbe: {},
  startupProbe: {},
  lifecycle: {},
  image: 'a',
  ports: [],
  terminationGracePeriodSeconds: 1,
}
const ofContainer: readonly { readonly fields: object; readonly field: string }[] = [
  ...Object.entries(guarded).map(([key, value]) => ({ fields: { name: 'server', [key]: value }, field: '' })),
  { fields: { name: 'towline-a' }, field: '.name' },
  { fields: { volumeMounts: [{ name: 'towline-a' }] }, field: '.volumeMounts[0].name' },
  ...['/etc/towline', '/opt/towline/', '/models//'].map((mountPath) => ({
    fields: { volumeMounts: [{ mountPath }] },
    field: '.volumeMounts[0].mountPath',
  })),
]

/** A patch is of the fields of a pod, or of the whole of it. */
const patches = [
  { at: '', write: (fields: object): object => fields },
  { at: '.spec', write: (fields: object): object => ({ spec: fields }) },
].flatMap(({ at, write }): Refusal[] => [
  { name: `a patch of the grace at ${at}`, ...patch(write({ terminationGracePeriodSeconds: 1 }), at) },
  {
    name: `a patch of our volume at ${at}`,
    ...patch(write({ volumes: [{ name: 'towline-a', emptyDir: {} }] }), `${at}.volumes[0].name`),
  },
  ...['containers', 'initContainers'].flatMap((list) =>
    ofContainer.map(({ fields, field }) => ({
      name: `a patch of ${JSON.stringify(fields)} at ${at}.${list}`,
      ...patch(write({ [list]: [fields] }), `${at}.${list}[0]${field}`),
    })),
  ),
])

export const ofPods: readonly Refusal[] = [
  ...patches,
  {
    name: 'a patch of what pods are found by',
    ...patch({ metadata: { labels: { 'towline.dev/service': 'a' } } }, '.metadata.labels'),
  },
  {
    name: 'a patch of our annotations',
    ...patch({ metadata: { annotations: { 'towline.dev/a': null } } }, '.metadata.annotations'),
  },
  {
    name: 'a volume of our name',
    spec: { pod: { volumes: [{ name: 'towline-a', emptyDir: {} }] } },
    field: 'spec.pod.volumes[0].name',
  },
  {
    name: 'a mount over our files',
    spec: {
      pod: { volumes: [{ name: 'a', emptyDir: {} }], mounts: [{ name: 'a', mountPath: '/opt/towline//' }] },
    },
    field: 'spec.pod.mounts[0].mountPath',
  },
  {
    name: 'a mount of no volume',
    spec: { pod: { volumes: [{ name: 'a', emptyDir: {} }], mounts: [{ name: 'work', mountPath: '/a' }] } },
    field: 'spec.pod.mounts',
  },
]
