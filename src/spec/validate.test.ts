import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { plainValue } from './source/positioned-node.ts'
import { parseYamlSource } from './source/yaml-source.ts'
import { mergeOverlay } from './source/overlay.ts'
import { unsupportedFields } from './unsupported.ts'
import { validateDocument, validateTree } from './validate.ts'

const baseDir = join(import.meta.dirname, '../../examples/image-classifier')
const options = { baseDir, file: 'towline.yaml' }

/** Every field there is, all of it right. */
const complete = {
  apiVersion: 'towline.dev/v1alpha1',
  kind: 'ModelService',
  metadata: { name: 'image-classifier', labels: { team: 'vision' } },
  spec: {
    profile: 'gpu-prod',
    paused: false,
    model: {
      uri: 's3://models/effnet/3',
      digest: `sha256:${'a'.repeat(64)}`,
      format: 'onnx',
      name: 'efficientnet',
      delivery: 'Download',
      auth: { secretRef: { name: 's3-read' } },
      cache: { persistentVolumeClaim: { name: 'model-cache' } },
    },
    runtime: { onnx: { threads: 0 } },
    image: `reg.example.com/cats@sha256:${'b'.repeat(64)}`,
    build: { base: 'python', python: '3.11', requirements: './requirements.lock' },
    env: [
      { name: 'LOG_LEVEL', value: 'info' },
      { name: 'HF_TOKEN', valueFrom: { secretKeyRef: { name: 'hf', key: 'token' } } },
    ],
    serving: { timeout: '10s', maxBody: '64Mi', maxQueuedRows: 256, batching: { mode: 'Auto' } },
    resources: { cpu: 1, memory: '1Gi', cpuLimit: 2 },
    gpu: { count: 1, minMemory: '16Gi', minComputeCapability: '8.0', sharing: 'Exclusive' },
    autoscaling: {
      minReplicas: 2,
      maxReplicas: 10,
      targets: { cpuPercent: 70, memoryPercent: 80, concurrency: 4, requestsPerSecond: 50, queuedRows: 8 },
      prometheus: [{ name: 'jobs', query: 'sum(rate(jobs_total[1m]))', perReplica: 10 }],
      behavior: { scaleDown: { stabilizationWindowSeconds: 300 } },
    },
    lifecycle: { startupTimeout: '60s', drainTimeout: '30s' },
    rollout: {
      steps: [{ weight: 5 }, { weight: 25, bake: '5m' }, { weight: 50, pause: 'Manual' }],
      bake: '2m',
      surge: 'Auto',
      analysis: {
        minRequests: 200,
        errors: { maxPercentOfStable: 125, floorPerThousand: 10 },
        latency: { slowerThan: '250ms', maxPercentOfStable: 125, floorPerThousand: 20 },
      },
      onFailure: 'Rollback',
      smoke: ['./photos/coffee.jpg'],
      onNoTraffic: 'Pause',
      requires: [{ environment: 'staging', maxAge: '168h' }],
      revisionHistoryLimit: 3,
      warmRevisions: 1,
    },
    expose: {
      hostnames: ['cats.example.com'],
      gatewayRef: { name: 'public' },
      apiKeys: { secretRef: { name: 'callers' } },
      allowFrom: [],
    },
    pod: {
      serviceAccountName: 's3-reader',
      imagePullSecrets: [{ name: 'reg' }],
      nodeSelector: {},
      tolerations: [],
      volumes: [],
      mounts: [],
      patch: {},
    },
    observability: {
      traces: { samplePercent: 1, endpoint: 'http://otel:4317' },
      payloads: { samplePercent: 1, sink: 's3://payloads/cats', retention: '720h', redact: ['inputs.email'] },
    },
  },
}

test('the complete document is right, and what is not built yet is refused by name', async () => {
  const { diagnostics } = await validateDocument(complete, options)
  const errors = diagnostics.filter(({ code }) => code !== 'TL_SPEC_UNSUPPORTED' && code !== 'TL_TARGET_IGNORES')
  assert.deepEqual(errors, [])
  assert.deepEqual(
    unsupportedFields(complete, 'Local', { env: {}, apiKeys: [] }).map(({ path, severity = 'error' }) => [
      path.slice(1).join('.'),
      severity,
    ]),
    [
      ['profile', 'error'],
      ['model.delivery', 'error'],
      ['model.auth', 'error'],
      ['model.cache', 'error'],
      ['image', 'error'],
      ['serving.batching', 'error'],
      ['resources.cpuLimit', 'error'],
      ['gpu', 'error'],
      ['expose.hostnames', 'error'],
      ['expose.gatewayRef', 'error'],
      ['expose.allowFrom', 'error'],
      ['observability', 'error'],
      ['model.uri', 'error'],
      ['autoscaling.prometheus.0', 'error'],
      ['expose.apiKeys', 'error'],
      ['env.1.valueFrom', 'error'],
      ['pod', 'warning'],
      ['build', 'info'],
    ],
  )
})

test('an image is refused only what would be in it: what is said of replicas and traffic is no matter of it', () => {
  const refused = unsupportedFields(complete, 'Image', { env: {}, apiKeys: [] })
  assert.deepEqual(
    refused.map(({ path }) => path.slice(1).join('.')),
    ['model.delivery', 'serving.batching', 'build.python', 'build.requirements', 'gpu', 'model.uri', 'image'],
  )
  assert.match(refused.map(({ message }) => message).join(), /is not supported yet by `towline build`/)
})

test('API keys need both the field that asks for them and the keys', async () => {
  const document = (expose?: unknown): unknown => ({
    apiVersion: 'towline.dev/v1alpha1',
    kind: 'ModelService',
    metadata: { name: 'a' },
    spec: { model: { uri: './m.onnx' }, ...(expose === undefined ? {} : { expose }) },
  })
  const asked = { apiKeys: { secretRef: { name: 'callers' } } }
  const apiKeys = [{ caller: 'ann', sha256: 'a'.repeat(64) }]
  const messages = async (value: unknown, given: typeof apiKeys): Promise<string[]> => {
    const { diagnostics } = await validateDocument(value, { ...options, apiKeys: given })
    return diagnostics.filter(({ code }) => code === 'TL_SPEC_UNSUPPORTED').map(({ message }) => message)
  }
  assert.deepEqual(await messages(document(asked), apiKeys), [])
  assert.match((await messages(document(asked), [])).join(), /Secret \(`callers`\).* --api-keys FILE/)
  assert.match((await messages(document(), apiKeys)).join(), /nothing would ask for them/)
})

test('any field of the complete document may hold anything: there are findings or a service, never a throw', async () => {
  const paths = leafPaths(complete)
  const anything = fc.oneof(fc.anything(), fc.constantFrom(null, '', -1, 1e308, [], {}, '1GB', '\0', '__proto__'))
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), anything, async (path, value) => {
      const { service, diagnostics } = await validateDocument(replaceAt(complete, path, value), options)
      assert.equal(service, undefined)
      assert.ok(diagnostics.length > 0)
    }),
    { numRuns: 300 },
  )
})

test('any text gives findings at places inside the text', async () => {
  const piece = fc.constantFrom(
    'a',
    '- ',
    ': ',
    '\n',
    '  ',
    '&a ',
    '*a',
    '{',
    '}',
    '[',
    ']',
    ',',
    '"',
    "'",
    '|',
    '>',
    '\t',
    '? ',
    '!x ',
    '%Y',
    '#',
    '---',
    '...',
    'spec:',
    'model:',
    'replicas: 1',
    'null',
    '<<',
    '\uFEFF',
    '\r\n',
    '\u0002',
    '\u001f',
    'é',
    '😀',
  )
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 60 }), async (pieces) => {
      const text = pieces.join('')
      const lines = text.split('\n').length
      const { root, diagnostics } = await parseYamlSource('towline.yaml', Buffer.from(text))
      const found = root === undefined ? diagnostics : (await validateTree(root, options)).diagnostics
      assert.ok(found.length > 0)
      for (const { at } of [...diagnostics, ...found]) assert.ok(at.line >= 1 && at.line <= lines && at.column >= 1)
      if (root !== undefined) plainValue(mergeOverlay(root, root).root)
    }),
    { numRuns: 500 },
  )
})

test('any bytes are read without a throw', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      const { root, diagnostics } = await parseYamlSource('towline.yaml', bytes)
      assert.ok(root !== undefined || diagnostics.length > 0)
    }),
  )
})

type Path = readonly (string | number)[]

function leafPaths(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  const inner = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  return [path, ...inner.flatMap(([key, item]) => leafPaths(item, [...path, key]))]
}

function replaceAt(value: unknown, [first, ...rest]: Path, replacement: unknown): unknown {
  if (first === undefined) return replacement
  if (Array.isArray(value))
    return value.map((item: unknown, index) => (index === first ? replaceAt(item, rest, replacement) : item))
  if (typeof value !== 'object' || value === null) throw new Error('the path comes from the document')
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, key === first ? replaceAt(item, rest, replacement) : item]),
  )
}
