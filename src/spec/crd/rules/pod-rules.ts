import { guardedFields, ownKeys, ownPaths, ownVolumes } from '../../rules/pod-rules.ts'
import { containerLists } from '../pod-patch-schema.ts'
import { given, quote, type Rule, say, type Saying, valueOr } from '../rule.ts'

const isOwnVolume = `${valueOr('name', `''`)}.startsWith(${quote(ownVolumes)})`
const ownPath = `^(${ownPaths.join('|')})/*$`
const isOwnPath = `${valueOr('mountPath', `''`)}.matches(${quote(ownPath)})`
const guarded = given('self', guardedFields)
const stray = `self.mounts.filter(mount, !${valueOr('volumes', '[]')}.exists(volume, volume.name == mount.name))`

const refuse = (what: string): Saying => say`pod.patch cannot set \`${what}\`: Towline's guarantees rest on it`

/** A patch is of the pod, or of its `spec` and `metadata`. */
const pods = ['spec.pod.patch', 'spec.pod.patch.spec']
const containers = pods.flatMap((pod) => containerLists.map((list) => `${pod}.${list}[]`))

const patchRules: readonly Rule[] = [
  ...[...pods, ...containers].map((at): Rule => ({
    at,
    rule: `(${guarded}).size() == 0`,
    say: refuse(`(${guarded})[0]`),
  })),
  ...[...pods.map((pod) => `${pod}.volumes[]`), ...containers, ...containers.map((at) => `${at}.volumeMounts[]`)].map(
    (at): Rule => ({ at, field: 'name', rule: `!${isOwnVolume}`, say: refuse('self.name') }),
  ),
  ...containers.map((at): Rule => ({
    at: `${at}.volumeMounts[]`,
    field: 'mountPath',
    rule: `!${isOwnPath}`,
    say: refuse('self.mountPath'),
  })),
  ...['labels', 'annotations'].map((field): Rule => ({
    at: `spec.pod.patch.metadata.${field}`,
    rule: `!self.exists(key, key.startsWith(${quote(ownKeys)}))`,
    say: refuse(`self.filter(key, key.startsWith(${quote(ownKeys)}))[0]`),
  })),
]

export const podRules: readonly Rule[] = [
  {
    at: 'spec.pod.volumes[]',
    field: 'name',
    rule: `!${isOwnVolume}`,
    say: say`names of volumes that begin with \`${quote(ownVolumes)}\` are Towline's; choose another than \`${'self.name'}\``,
  },
  {
    at: 'spec.pod.mounts[]',
    field: 'mountPath',
    rule: `!${isOwnPath}`,
    say: say`\`${'self.mountPath'}\` is where the image has its own files; choose another path`,
  },
  {
    at: 'spec.pod',
    field: 'mounts',
    rule: `!has(self.mounts) || ${stray}.size() == 0`,
    say: say`\`${`${stray}[0].name`}\` is no volume of pod.volumes`,
  },
  ...patchRules,
]
