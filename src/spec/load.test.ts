import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { renderDiagnostic } from '../base/diagnostic.ts'
import { TowlineError } from '../base/errors.ts'
import { specCodes } from './codes.ts'
import { loadSpec, type LoadSpecOptions } from './load.ts'
import { validateDocument } from './validate.ts'

/** A folder with a model in it, and the given files. */
function openFolder(context: TestContext, files: Record<string, string | Uint8Array> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'towline-spec-'))
  context.after(() => rmSync(folder, { recursive: true }))
  for (const [name, content] of Object.entries({ 'model.onnx': '', ...files }))
    writeFileSync(join(folder, name), content)
  return folder
}

async function findings(folder: string, options?: LoadSpecOptions): Promise<string[]> {
  const { diagnostics } = await loadSpec(join(folder, 'towline.yaml'), options)
  return diagnostics.map((diagnostic) => renderDiagnostic(diagnostic).replaceAll(`${folder}/`, ''))
}

/** The smallest service in lines 1 to 7; what follows starts in line 8. */
const head = [
  'apiVersion: towline.dev/v1alpha1',
  'kind: ModelService',
  'metadata:',
  '  name: cats',
  'spec:',
  '  model:',
  '    uri: model.onnx',
  '',
].join('\n')

const malformed: readonly (readonly [text: string, ...expected: string[]])[] = [
  ['', '1:1 error TL_SPEC_EMPTY  the file holds no document'],
  [`${head}  replica: 2`, '8:3 error TL_SPEC_UNKNOWN_KEY  `replica` is not a field of spec; did you mean `replicas`?'],
  [`${head}  replicas: 2\n  replicas: 3`, '9:3 error TL_SPEC_DUPLICATE_KEY  `replicas` is already given in line 8'],
  [`${head}\treplicas: 2`, '8:1 error TL_SPEC_TAB  a tab is used as indentation; write spaces'],
  [`${head}  replicas: two`, '8:13 error TL_SPEC_TYPE  `spec.replicas` must be a number, not the text `two`'],
  [`${head}  replicas: 1.5`, '8:13 error TL_SPEC_TYPE  `spec.replicas` must be a whole number, not the number `1.5`'],
  [`${head}  replicas: -1`, '8:13 error TL_SPEC_LIMIT  `spec.replicas` is `-1`; it must be at least 0'],
  [`${head}  env:`, '8:7 error TL_SPEC_NULL  `spec.env` has no value; give it one or remove the line'],
  [
    `${head}  resources:\n    memory: 1GB`,
    '9:13 error TL_SPEC_QUANTITY  `1GB` is not a Kubernetes quantity; write 1G (10^9) or 1Gi (2^30)',
  ],
  [
    `${head}  resources: { cpu: lots }`,
    '8:21 error TL_SPEC_QUANTITY  `lots` is not a Kubernetes quantity; write for example 500m or 2',
  ],
  [
    `${head}  resources: { memory: 512m }`,
    '8:24 error TL_SPEC_LIMIT  `512m` is 1 B; the least is 1048576 B (Mi and Gi count bytes)',
  ],
  [
    `${head}  serving: { timeout: 5 minutes }`,
    '8:23 error TL_SPEC_DURATION  `5 minutes` is not a duration; write for example 250ms, 10s or 1h30m',
  ],
  [
    `${head}  lifecycle: { drainTimeout: 5s }`,
    '8:30 error TL_SPEC_DRAIN  drainTimeout 5s is shorter than serving.timeout 10s: requests would be cut off',
  ],
  [
    `${head}  serving: { timeout: 45s }`,
    '8:23 error TL_SPEC_DRAIN  drainTimeout 30s (default) is shorter than serving.timeout 45s: requests would be cut off',
  ],
  [
    `${head}    format: onx`,
    '8:13 error TL_SPEC_VALUE  `onx` is not a value of `spec.model.format`; did you mean `onnx`?',
  ],
  [
    `${head}  env:\n  - { name: PORT, value: "80" }`,
    '9:13 error TL_SPEC_ENV_RESERVED  `PORT` is set by Towline; remove it from env',
  ],
  [
    `${head}  env:\n  - { name: HF_TOKEN, value: abc }`,
    '9:30 error TL_SPEC_ENV_SECRET  `HF_TOKEN` looks like a secret in clear text; use valueFrom.secretKeyRef, and --env-file locally',
  ],
  [
    `${head}  env:\n  - { name: A, value: a }\n  - { name: A, value: b }`,
    '10:13 error TL_SPEC_ENV  `A` is already given above; remove one of the two',
  ],
  [
    `${head}  env:\n  - { name: A }`,
    '9:13 error TL_SPEC_ENV  `A` has neither `value` nor `valueFrom`; give one of them',
  ],
  [`${head}  runtime: {}`, '8:12 error TL_SPEC_RUNTIME  runtime names none; remove it or give one'],
  [
    `${head}  gpu: { count: 2, sharing: Shared }`,
    '8:8 error TL_SPEC_UNSUPPORTED  `gpu` is not supported yet by `towline up`; remove it',
    '8:29 error TL_SPEC_GPU  shared devices come one at a time, not 2',
  ],
  [
    `${head}  serving: { batching: { mode: Fixed, maxRows: 4 } }`,
    '8:24 error TL_SPEC_UNSUPPORTED  `serving.batching` is not supported yet by `towline up`; remove it',
    '8:32 error TL_SPEC_BATCHING  batching mode Fixed needs both `maxRows` and `maxDelay`',
  ],
  [
    `${head}  resources: { cpu: 2, cpuLimit: 1 }`,
    '8:34 error TL_SPEC_CPU_LIMIT  cpuLimit 1 is below the cpu that is reserved, 2',
    '8:34 error TL_SPEC_UNSUPPORTED  `resources.cpuLimit` is not supported yet by `towline up`; remove it',
  ],
  [
    `${head}  replicas: 2\n  autoscaling: { minReplicas: 5, maxReplicas: 3, targets: { queuedRows: 1 } }`,
    '8:13 error TL_SPEC_REPLICAS  replicas is fixed here, and autoscaling would change it; remove one of the two',
    '9:31 error TL_SPEC_SCALE_RANGE  minReplicas 5 is above maxReplicas 3',
  ],
  [
    `${head}  autoscaling: { minReplicas: 0, maxReplicas: 3, targets: { cpuPercent: 70 } }`,
    '8:31 error TL_SPEC_SCALE_TO_ZERO  minReplicas 0 needs a target that counts requests: concurrency, requestsPerSecond, queuedRows',
    '8:73 error TL_SPEC_SCALE_TARGET  cpuPercent is a share of `resources.cpu`, which is not given; add it',
  ],
  [
    `${head}  autoscaling:\n    minReplicas: 0\n    maxReplicas: 3\n    targets: { queuedRows: 4 }\n    burst: {}\n    prometheus: [{ name: jobs, query: up, perReplica: 1 }]\n    behavior: { scaleUp: { tolerance: 2, policies: [{ type: Percent, value: 50, periodSeconds: 15 }] } }`,
    '12:12 error TL_SPEC_SCALE_TARGET  burst watches the requests in flight; add targets.concurrency',
    '13:18 error TL_SPEC_UNSUPPORTED  a query without `serverAddress` is not supported yet by `towline up`; say where Prometheus answers, for example http://127.0.0.1:9090',
    '14:39 error TL_SPEC_QUANTITY  `2` is no share; write for example 0.05 or 50m (from 0 to 1)',
    '14:52 error TL_SPEC_SCALE_TO_ZERO  a percentage of zero is zero: without a policy of type Pods the service would never come back',
  ],
  [
    `${head}  rollout:\n    surge: Recreate\n    steps:\n    - { weight: 50 }\n    - { weight: 5, bake: 1m, pause: Manual }`,
    '9:12 error TL_SPEC_SURGE  surge Recreate stops the old revision first, so there is nothing to split; remove the steps or choose Swap',
    '12:17 error TL_SPEC_WEIGHTS  weight 5 does not rise above 50 of the step before',
    '12:37 error TL_SPEC_STEP  a step either bakes for a time or pauses for a person; remove one of the two',
  ],
  [
    `${head}  rollout: { bake: 1m, analysis: { minRequests: 5 }, surge: Swap }`,
    '8:20 error TL_SPEC_STEP  `bake` means nothing without `steps`; add for example `steps: [{ weight: 5 }, { weight: 50 }]`, or remove it',
    '8:34 error TL_SPEC_STEP  `analysis` means nothing without `steps`; add for example `steps: [{ weight: 5 }, { weight: 50 }]`, or remove it',
    '8:61 error TL_SPEC_SURGE  surge Swap ends a replica before another starts, and there may be only 1; have at least 2, or choose Surge, or Recreate where a gap is allowed',
  ],
  [
    `${head}  rollout: { steps: [{ weight: 5, bake: 30m }, { weight: 50, bake: 30m }], analysis: { latency: { slowerThan: 0s } } }`,
    '8:21 error TL_SPEC_LIMIT  the steps bake for 1h, and the analysis is over after 1h: raise analysis.maxTime, or let the steps bake less',
    '8:111 error TL_SPEC_LIMIT  every answer is slower than 0s; say from when on one is too slow, for example 250ms',
  ],
  [
    `${head}  rollout: { requires: [{ environment: test }, { environment: staging }, { environment: staging }] }`,
    '8:40 error TL_SPEC_VALUE  no environment can be called `test`: towline.test.yaml is another kind of file',
    '8:89 error TL_SPEC_DUPLICATE_ITEM  `staging` is required twice; remove one',
  ],
  [
    `${head}  rollout: { steps: [{ weight: 100 }] }`,
    '8:32 error TL_SPEC_WEIGHTS  weight 100 leaves nothing to compare with; remove the step: full weight follows the last one by itself',
  ],
  [
    `${head}  pod:\n    patch: { spec: { terminationGracePeriodSeconds: 1 } }`,
    '9:5 warning TL_TARGET_IGNORES  `pod` is not applicable on one machine; it takes effect on Kubernetes',
    "9:53 error TL_SPEC_POD_PATCH  pod.patch cannot set `terminationGracePeriodSeconds`: Towline's guarantees rest on it",
  ],
  [
    `${head}---\n${head}`,
    '9:1 error TL_SPEC_SEVERAL_DOCUMENTS  the file holds 2 documents; a service has one file of its own',
  ],
  [
    head.replace('cats', 'Cats'),
    '4:9 error TL_SPEC_NAME  `Cats` does not fit `metadata.name`: use lower-case letters, digits and `-`, first a letter and last a letter or digit',
  ],
  [
    head.replace('v1alpha1', 'v1'),
    '1:13 error TL_SPEC_API_VERSION  apiVersion `towline.dev/v1` is not known to this version of Towline; write towline.dev/v1alpha1',
  ],
  [head.replace('ModelService', 'Service'), '2:7 error TL_SPEC_KIND  kind `Service` is not a ModelService'],
  [head.replace('    uri: model.onnx', '    format: onnx'), '6:3 error TL_SPEC_MISSING  `spec.model.uri` is missing'],
  [
    head.replace('model.onnx', './gone'),
    '7:10 error TL_SPEC_MODEL_MISSING  the model `./gone` does not exist (looked at gone)',
  ],
  [
    head.replace('model.onnx', 's4://a/b'),
    '7:10 error TL_SPEC_MODEL_URI  `s4://` is no address of a model; did you mean `s3://`?',
  ],
  [
    `${head}    digest: abc`,
    '8:13 error TL_SPEC_FORMAT  `abc` does not fit `spec.model.digest`: use sha256: and 64 lower-case hexadecimal digits',
  ],
  [`${head}  ? [a]\n  : 1`, '8:5 error TL_SPEC_KEY  a key must be plain text'],
  [head.replace('cats', '!many cats'), '4:9 error TL_SPEC_TAG  unresolved tag: !many; remove the tag'],
  [
    `%YAML 1.1\n---\n${head}`,
    '1:1 error TL_SPEC_YAML_VERSION  the document asks for YAML 1.1; write it in YAML 1.2 and remove the line',
  ],
  [`${head}  env: &all [*all]`, '8:14 error TL_SPEC_ALIASES  `*all` refers to itself'],
  [`${head}  env: ${'['.repeat(100)}`, '8:72 error TL_SPEC_TOO_DEEP  values are nested more than 64 levels deep'],
]

test('every mistake has its line, its column, its code and its own message', async (context) => {
  const folder = openFolder(context)
  for (const [text, ...expected] of malformed) {
    writeFileSync(join(folder, 'towline.yaml'), text)
    assert.deepEqual(
      await findings(folder),
      expected.map((finding) => `towline.yaml:${finding}`),
      text,
    )
  }
  const all = malformed.flatMap(([, ...expected]) => expected.map((finding) => finding.replace(/^\S+ /, '')))
  const own = all.filter((finding) => !finding.includes('TL_SPEC_UNSUPPORTED'))
  assert.equal(new Set(own).size, own.length, 'the messages are all distinct')
})

test('everything wrong is said at once, in the order of the file', async (context) => {
  const text = `${head.replace('cats', 'Cats')}  replica: 2\n  resources: { cpu: 1GB }\n  runtime: {}\n  env:\n  - { name: PORT }\n`
  const codes = (await findings(openFolder(context, { 'towline.yaml': text }))).map((line) => line.split(' ')[2])
  assert.deepEqual(codes, [
    'TL_SPEC_NAME',
    'TL_SPEC_UNKNOWN_KEY',
    'TL_SPEC_QUANTITY',
    'TL_SPEC_RUNTIME',
    'TL_SPEC_ENV',
    'TL_SPEC_ENV_RESERVED',
  ])
})

test('a syntax error is shown where it is, and nothing is guessed behind it', async (context) => {
  const folder = openFolder(context, { 'towline.yaml': `${head}  env: [a\n  replicas: 2` })
  const [first, ...rest] = await findings(folder)
  assert.match(first ?? '', /^towline\.yaml:9:\d+ error TL_SPEC_SYNTAX /)
  assert.ok(rest.every((line) => line.includes('TL_SPEC_SYNTAX')))
})

test('many fields in one line are not deep', async (context) => {
  const fields = Array.from({ length: 80 }, (_, index) => `f${index}: 1`).join(', ')
  const lines = await findings(openFolder(context, { 'towline.yaml': `${head}  pod: { patch: { ${fields} } }\n` }))
  assert.ok(lines.every((line) => line.includes('TL_TARGET_IGNORES')))
})

test('a byte order mark, Windows line ends and anchors make no difference', async (context) => {
  const text = `${head}  serving: { timeout: &wait 20s }\n  lifecycle: { startupTimeout: *wait }\n`
  const folder = openFolder(context, { 'towline.yaml': `\uFEFF${text.replaceAll('\n', '\r\n')}` })
  const { service, diagnostics } = await loadSpec(join(folder, 'towline.yaml'))
  assert.deepEqual(diagnostics, [])
  assert.equal(service?.lifecycle.startupTimeoutMs, 20_000)
  writeFileSync(join(folder, 'towline.yaml'), `\uFEFFapiVersion: x\r\nkind: y\r\n`)
  assert.ok((await findings(folder)).some((line) => line.startsWith('towline.yaml:1:13 error TL_SPEC_API_VERSION')))
})

test('values that two versions of YAML read differently are warned of', async (context) => {
  const text = `${head}  env:\n  - { name: A, value: yes }\n  - { name: B, value: 12:30 }\n  - { name: C, value: "no" }\n`
  const folder = openFolder(context, { 'towline.yaml': text })
  const { service, diagnostics } = await loadSpec(join(folder, 'towline.yaml'))
  assert.deepEqual(
    diagnostics.map(({ code, severity, at }) => [code, severity, at.line, at.column]),
    [
      ['TL_SPEC_AMBIGUOUS', 'warning', 9, 23],
      ['TL_SPEC_AMBIGUOUS', 'warning', 10, 23],
    ],
  )
  assert.deepEqual(
    service?.env.map(({ value }) => value),
    ['yes', '12:30', 'no'],
  )
})

test('files that are too large, too wide or no text are refused before they cost anything', async (context) => {
  const folder = openFolder(context)
  const codeOf = async (content: string | Uint8Array): Promise<string | undefined> => {
    writeFileSync(join(folder, 'towline.yaml'), content)
    return (await loadSpec(join(folder, 'towline.yaml'))).diagnostics[0]?.code
  }
  assert.equal(await codeOf(`# ${'x'.repeat(1024 * 1024)}`), 'TL_SPEC_TOO_LARGE')
  assert.equal(await codeOf(Uint8Array.of(0xff, 0xfe, 0x41)), 'TL_SPEC_ENCODING')
  assert.equal(await codeOf('['.repeat(500_000)), 'TL_SPEC_TOO_DEEP')
  assert.equal(await codeOf('- '.repeat(200_000)), 'TL_SPEC_TOO_DEEP')
  assert.equal(await codeOf(`[${'a,'.repeat(60_000)}]`), 'TL_SPEC_TOO_LARGE')
  assert.equal(await codeOf('{} '.repeat(300_000)), 'TL_SPEC_TOO_LARGE')
  const layers = Array.from({ length: 9 }, (_, layer) => `l${layer + 1}: &l${layer + 1} [${`*l${layer},`.repeat(10)}]`)
  assert.equal(await codeOf(`l0: &l0 [1]\n${layers.join('\n')}`), 'TL_SPEC_ALIASES')
})

test('references in env take their values from outside, and values from outside win', async (context) => {
  const text = `${head}  env:\n  - { name: LEVEL, value: info }\n  - { name: HF_TOKEN, valueFrom: { secretKeyRef: { name: hf, key: token } } }\n`
  const folder = openFolder(context, { 'towline.yaml': text })
  assert.deepEqual(await findings(folder), [
    'towline.yaml:10:34 error TL_SPEC_UNSUPPORTED  a reference to a Secret or ConfigMap (`HF_TOKEN`) is not supported yet by `towline up`; give HF_TOKEN a value with --env-file',
  ])
  const { service } = await loadSpec(join(folder, 'towline.yaml'), {
    env: { HF_TOKEN: 't', LEVEL: 'debug', OTHER: 'x' },
  })
  assert.deepEqual(service?.env, [
    { name: 'LEVEL', value: 'debug' },
    { name: 'HF_TOKEN', value: 't' },
  ])
})

test('a finding in an overlay lies in the overlay, one below it in the base', async (context) => {
  const overlay = `${head.slice(0, head.indexOf('spec:'))}spec:\n  replica: 2\n  serving: { timeout: 2d }\n`
  const folder = openFolder(context, {
    'towline.yaml': `${head}  lifecycle: { drainTimeout: soon }\n`,
    'towline.staging.yaml': overlay,
  })
  assert.deepEqual(await findings(folder, { overlay: 'staging' }), [
    'towline.staging.yaml:6:3 error TL_SPEC_UNKNOWN_KEY  `replica` is not a field of spec; did you mean `replicas`?',
    'towline.staging.yaml:7:23 error TL_SPEC_DURATION  `2d` is not a duration; write for example 250ms, 10s or 1h30m',
    'towline.yaml:8:30 error TL_SPEC_DURATION  `soon` is not a duration; write for example 250ms, 10s or 1h30m',
  ])
  writeFileSync(join(folder, 'towline.staging.yaml'), overlay.replace('cats', 'dogs'))
  assert.ok(
    (await findings(folder, { overlay: 'staging' })).some((line) =>
      line.startsWith('towline.staging.yaml:4:9 error TL_SPEC_PATCH'),
    ),
  )
})

test('a TypeScript file with a default export is the same service', async (context) => {
  const folder = openFolder(context, {
    'towline.config.ts': `export default ${JSON.stringify({ apiVersion: 'towline.dev/v1alpha1', kind: 'ModelService', metadata: { name: 'cats' }, spec: { model: { uri: 'model.onnx' } } })} as const\n`,
    'broken.config.ts': 'export const service = 1\n',
  })
  const { service, diagnostics } = await loadSpec(join(folder, 'towline.config.ts'))
  assert.deepEqual(diagnostics, [])
  assert.equal(service?.name, 'cats')
  const { diagnostics: broken } = await loadSpec(join(folder, 'broken.config.ts'))
  assert.deepEqual(
    broken.map(({ code }) => code),
    ['TL_SPEC_NOT_LOADABLE'],
  )
})

test('a missing file is a failure, not a finding', async () => {
  await assert.rejects(
    loadSpec('/nowhere/towline.yaml'),
    (error) => error instanceof TowlineError && error.code === 'TL_FILE_MISSING',
  )
})

test('plain documents are checked alike, and their messages name the field', async (context) => {
  const folder = openFolder(context)
  const document = {
    apiVersion: 'towline.dev/v1alpha1',
    kind: 'ModelService',
    metadata: { name: 'cats' },
    spec: { model: { uri: 'model.onnx' }, resources: { cpu: '1GB' } },
  }
  const { diagnostics } = await validateDocument(document, { baseDir: folder, file: 'towline.yaml' })
  assert.deepEqual(diagnostics.map(renderDiagnostic), [
    'towline.yaml:1:1 error TL_SPEC_QUANTITY  spec.resources.cpu: `1GB` is not a Kubernetes quantity; write 1G (10^9) or 1Gi (2^30)',
  ])
})

test('every code has a sentence, and no two the same', () => {
  const sentences = Object.values(specCodes)
  assert.equal(new Set(sentences).size, sentences.length)
})

test('an environment cannot have the name of another file beside the spec', async (context) => {
  const folder = openFolder(context, { 'towline.yaml': head })
  await assert.rejects(loadSpec(join(folder, 'towline.yaml'), { overlay: 'test' }), {
    code: 'TL_USAGE',
    detail: 'an environment cannot be called `test`: towline.test.yaml is another kind of file',
  })
})
