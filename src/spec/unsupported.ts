import type { Finding } from './source/finding.ts'
import type { Path } from './source/positioned-node.ts'
import { isModelAddress } from './rules/model-rules.ts'
import type { ApiKey } from './service.ts'
import { type DocumentView, viewDocument } from './rules/document-view.ts'
import { checkClusterWishes, notYetOnCluster } from './target/cluster-wishes.ts'

/** The local engine, `towline up`, the image, `towline build`, and Kubernetes, `towline deploy`. */
export type Target = 'Local' | 'Image' | 'Cluster'

interface UnsupportedField {
  readonly path: Path
  /** Absent: whenever the field is there. */
  readonly when?: (view: DocumentView) => boolean
  /** Absent: remove it. */
  readonly wayOut?: string
}

const notYetLocal: readonly UnsupportedField[] = [
  { path: ['spec', 'profile'] },
  { path: ['spec', 'model', 'delivery'] },
  { path: ['spec', 'model', 'auth'] },
  { path: ['spec', 'model', 'cache'] },
  { path: ['spec', 'image'] },
  {
    path: ['spec', 'serving', 'batching'],
    when: (view) => view.at('spec', 'serving', 'batching', 'mode') !== 'Disabled',
  },
  { path: ['spec', 'resources', 'cpuLimit'] },
  { path: ['spec', 'gpu'] },
  { path: ['spec', 'expose', 'hostnames'] },
  { path: ['spec', 'expose', 'gatewayRef'] },
  { path: ['spec', 'expose', 'allowFrom'] },
  { path: ['spec', 'observability'] },
]

/** The image holds the model and the server; what is said of replicas and traffic is no matter of it. */
const notYetInImage: readonly UnsupportedField[] = [
  { path: ['spec', 'model', 'delivery'], when: (view) => view.textAt('spec', 'model', 'delivery') !== 'Image' },
  {
    path: ['spec', 'serving', 'batching'],
    when: (view) => view.at('spec', 'serving', 'batching', 'mode') !== 'Disabled',
  },
  { path: ['spec', 'build', 'python'] },
  { path: ['spec', 'build', 'requirements'] },
  { path: ['spec', 'gpu'] },
]

const notOnCluster: readonly UnsupportedField[] = [
  ...notYetOnCluster,
  {
    path: ['spec', 'model', 'delivery'],
    when: (view) => view.textAt('spec', 'model', 'delivery') !== 'Image',
    wayOut: 'the model travels in the image',
  },
  {
    path: ['spec', 'serving', 'batching'],
    when: (view) => view.at('spec', 'serving', 'batching', 'mode') !== 'Disabled',
  },
]

const otherRuntimes = ['app', 'container', 'tensorflow', 'triton', 'vllm']
const otherFormats = ['tensorflow', 'tfjs', 'sklearn', 'xgboost', 'pytorch', 'safetensors']

const targets = {
  Local: { command: '`towline up`', fields: notYetLocal },
  Image: { command: '`towline build`', fields: notYetInImage },
  Cluster: { command: '`towline deploy`', fields: notOnCluster },
} as const satisfies Record<Target, { readonly command: string; readonly fields: readonly UnsupportedField[] }>

interface Given {
  readonly env: Readonly<Record<string, string>>
  readonly apiKeys: readonly ApiKey[]
}

/** Every field of `document` that `target` does not honour, by name: errors where it matters, notes where it does not. */
export function unsupportedFields(document: unknown, target: Target, given: Given): readonly Finding[] {
  const { command, fields } = targets[target]
  const view = viewDocument(document)
  const refuse = (path: Path, what: string, wayOut: string): Finding => ({
    path,
    code: 'TL_SPEC_UNSUPPORTED',
    message: `${what} is not supported yet by ${command}; ${wayOut}`,
  })
  const findings = fields
    .filter(({ path, when }) => view.has(...path) && (when === undefined || when(view)))
    .map(({ path, wayOut = 'remove it' }) => refuse(path, `\`${path.slice(1).join('.')}\``, wayOut))
  for (const kind of view.keysAt('spec', 'runtime'))
    if (otherRuntimes.includes(kind))
      findings.push(refuse(['spec', 'runtime', kind], `the runtime \`${kind}\``, 'only onnx is'))
  const format = view.textAt('spec', 'model', 'format')
  if (format !== undefined && otherFormats.includes(format))
    findings.push(refuse(['spec', 'model', 'format'], `the format \`${format}\``, 'only onnx is'))
  const uri = view.textAt('spec', 'model', 'uri')
  if (uri !== undefined && isModelAddress(uri) && !(target === 'Cluster' && uri === 'image:///models'))
    findings.push(refuse(['spec', 'model', 'uri'], 'a model at a remote address', 'download it and give its path'))
  if (target === 'Local') return [...findings, ...checkLocalWishes(view, given, refuse)]
  if (target === 'Cluster') return [...findings, ...checkClusterWishes(view)]
  if (view.has('spec', 'image')) {
    const message = '`image` is what a cluster runs; a build makes another one, and changes nothing there'
    findings.push({ path: ['spec', 'image'], code: 'TL_TARGET_IGNORES', severity: 'info', message })
  }
  return findings
}

/** What needs something from outside the document, or is no matter of one machine. */
function checkLocalWishes(
  view: DocumentView,
  { env, apiKeys }: Given,
  refuse: (path: Path, what: string, wayOut: string) => Finding,
): Finding[] {
  const findings: Finding[] = []
  for (const index of view.listAt('spec', 'autoscaling', 'prometheus').keys()) {
    const path = ['spec', 'autoscaling', 'prometheus', index]
    if (!view.has(...path, 'serverAddress'))
      findings.push(
        refuse(
          path,
          'a query without `serverAddress`',
          'say where Prometheus answers, for example http://127.0.0.1:9090',
        ),
      )
  }
  const secret = view.textAt('spec', 'expose', 'apiKeys', 'secretRef', 'name')
  if (secret !== undefined && apiKeys.length === 0)
    findings.push(
      refuse(
        ['spec', 'expose', 'apiKeys'],
        `a reference to a Secret (\`${secret}\`)`,
        'give its keys with --api-keys FILE, a line CALLER=KEY for each',
      ),
    )
  if (secret === undefined && apiKeys.length > 0)
    findings.push({
      path: ['spec'],
      code: 'TL_SPEC_UNSUPPORTED',
      message:
        'API keys are given, but nothing would ask for them; add `expose: { apiKeys: { secretRef: { name: callers } } }`',
    })
  for (const index of view.listAt('spec', 'env').keys()) {
    const name = view.textAt('spec', 'env', index, 'name')
    if (name === undefined || !view.has('spec', 'env', index, 'valueFrom') || Object.hasOwn(env, name)) continue
    const path = ['spec', 'env', index, 'valueFrom']
    findings.push(
      refuse(path, `a reference to a Secret or ConfigMap (\`${name}\`)`, `give ${name} a value with --env-file`),
    )
  }
  if (view.has('spec', 'pod')) {
    const message = '`pod` is not applicable on one machine; it takes effect on Kubernetes'
    findings.push({ path: ['spec', 'pod'], code: 'TL_TARGET_IGNORES', severity: 'warning', message })
  }
  if (view.has('spec', 'build')) {
    const message = `\`build\` is not acted on by \`towline up\`; the model runs on Towline's own server`
    findings.push({ path: ['spec', 'build'], code: 'TL_TARGET_IGNORES', severity: 'info', message })
  }
  return findings
}
