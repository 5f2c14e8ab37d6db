import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { readRecordedLook, recordedLooks } from '../../../test/kit/recorded-look.ts'
import { explainService } from './explain-service.ts'

/** Name, state, reason of the first cause (and whether it is final), words of its sentence and of its advice. */
const table: readonly (readonly [string, string, string?, boolean?, RegExp?, RegExp?])[] = [
  [
    'account-missing',
    'Failed',
    'ServiceAccountMissing',
    true,
    /s3-reader/,
    /kubectl create serviceaccount s3-reader -n ml/,
  ],
  ['affinity', 'Failed', 'NoNodeMatches', true, /nvidia.com\/gpu.memory > 90000/, /`gpu.minMemory`/],
  ['bad-update', 'Degraded', 'Crashed', true, /exit code 1/, /logs cats --previous/],
  ['claim-missing', 'Failed', 'ClaimMissing', true, /PersistentVolumeClaim gone/, /`pod.volumes`/],
  ['claim-unbound', 'Failed', 'ClaimUnbound', true, /has no volume yet/, /kubectl get pvc -n ml/],
  ['command-missing', 'Failed', 'ProgramMissing', true, /exec: "\/nope": stat \/nope: no such file/, /entrypoint/],
  ['configmap-key-missing', 'Failed', 'ConfigMapKeyMissing', true, /ConfigMap mode .* no key mode/, /`env` \(MODE\)/],
  ['configmap-missing', 'Failed', 'ConfigMapMissing', true, /ConfigMap mode does not exist in namespace ml/, /MODE/],
  ['crash', 'Failed', 'Crashed', true, /while it started with exit code 3$/, /logs cats --previous/],
  ['deadline', 'Failed', 'NoProgress', true, /within 3s/, /towline rollback cats/],
  ['hostpath-missing', 'Progressing', 'VolumeNotMounted', false, /\/nope\/x is not a directory/, /`pod.volumes`/],
  ['hpa-no-metrics', 'Ready', 'MetricsMissing', true, /serves no metrics.k8s.io/, /install metrics-server/],
  ['idle', 'Idle'],
  ['image-broken', 'Progressing', 'ImageRegistryUnreachable', false, /500 Internal Server Error/, /by themselves/],
  ['image-denied', 'Failed', 'ImageRefused', true, /403 Forbidden/, /`pod.imagePullSecrets`/],
  ['image-invalid', 'Failed', 'ImageNameInvalid', true, /must be lowercase/, /correct `image`/],
  ['image-limited', 'Progressing', 'ImagePullLimited', false, /too many/, /wait/],
  ['image-never', 'Failed', 'ImageNeverPulled', true, /localhost\/absent:1/, /pod.patch/],
  ['image-no-host', 'Progressing', 'ImageHostUnknown', false, /registry.example.invalid: its resolver does not/, /DNS/],
  [
    'image-not-found',
    'Failed',
    'ImageMissing',
    true,
    /cats@sha256:ababab… does not exist/,
    /push it to localhost:5000/,
  ],
  ['image-private', 'Failed', 'ImageRefused', true, /401 Unauthorized/, /there is none now/],
  ['image-refused', 'Progressing', 'ImageRegistryUnreachable', false, /localhost:5999.*connection refused/, /reach it/],
  ['limit-range', 'Failed', 'LimitRangeRefused', true, /at most 2Gi of memory, and 4Gi/, /lower `resources.memory`/],
  ['liveness', 'Failed', 'LivenessFailed', true, /on port 9999/, /logs cats --previous/],
  ['missing', 'Missing'],
  ['no-cpu', 'Failed', 'NoCpuFree', true, /no node has 64 CPU: the largest .* 32 CPU/, /`resources.cpu`/],
  ['no-gpu', 'Degraded', 'NoGpuFree', true, /no node has 8 nvidia.com\/gpu free: 2 nodes/, /lower `replicas`/],
  ['no-memory', 'Failed', 'NoMemoryFree', true, /900Gi of memory: .* 256Gi/, /`resources.memory`/],
  ['node-lost', 'Degraded', 'NodeLost', false, /dead-1 does not answer/, /describe node dead-1/],
  ['not-ready-503', 'Progressing', 'NotReady', false, /status 503/, /logs cats/],
  ['oom', 'Failed', 'OutOfMemory', true, /limit of 64Mi \(exit code 137\)/, /`resources.memory` \(64Mi now\).* 128Mi/],
  ['paused', 'Paused'],
  ['pdb', 'Ready', 'EvictionBlocked', true, /minAvailable 2.* wants 2 of 2/, /maxUnavailable: 1/],
  [
    'pod-security',
    'Failed',
    'PodSecurityRefused',
    true,
    /restricted.*runAsNonRoot != true and seccompProfile$/,
    /`pod`/,
  ],
  ['quota', 'Degraded', 'QuotaExceeded', true, /2 of 2 requests.cpu used, 1 more/, /`resources.cpu` or `replicas`/],
  ['quota-unstated', 'Failed', 'QuotaNeedsValue', true, /counts limits.cpu/, /`resources.cpuLimit`/],
  ['ready', 'Ready'],
  ['ready-wrong-port', 'Progressing', 'WrongPort', false, /nothing listens on port 9999/, /listen on port 9999/],
  ['root-refused', 'Failed', 'RootRefused', true, /root/, /numeric user/],
  ['runtime-class-missing', 'Failed', 'RuntimeClassMissing', true, /RuntimeClass nvidia/, /GPU operator/],
  ['secret-key-missing', 'Failed', 'SecretKeyMissing', true, /Secret hf .* no key token/, /TOKEN/],
  ['secret-missing', 'Failed', 'SecretMissing', true, /Secret hf does not exist in namespace ml/, /`env` \(TOKEN\)/],
  ['selector', 'Failed', 'NoNodeMatches', true, /towline.test\/node=gone .* fake and real/, /`pod.nodeSelector`/],
  ['service-wrong-port', 'Failed', 'WrongPort', true, /port grpc/, /towline deploy/],
  ['service-wrong-selector', 'Failed', 'ServiceSelectsOthers', true, /towline.dev\/service=dogs/, /towline deploy/],
  ['starting', 'Progressing'],
  ['startup-going-on', 'Progressing'],
  [
    'startup-slow',
    'Failed',
    'StartupTooSlow',
    true,
    /port 8080 within 4s .*connection refused/,
    /`lifecycle.startupTimeout` \(4s now\)/,
  ],
  ['startup-wrong-port', 'Failed', 'StartupTooSlow', true, /port 8080/, /startupTimeout/],
  [
    'taint',
    'Failed',
    'Tainted',
    true,
    /tainted-1, .* nvidia.com\/gpu=present:NoSchedule/,
    /`pod.tolerations`: \{ key: nvidia.com\/gpu, value: "present", effect: NoSchedule \}/,
  ],
  ['update-going-on', 'Progressing'],
  ['volume-configmap-missing', 'Failed', 'ConfigMapMissing', true, /ConfigMap gone.* volume v/, /`pod.volumes`/],
  ['volume-key-missing', 'Failed', 'VolumeKeyMissing', true, /key nope/, /`pod.volumes`/],
  ['volume-secret-missing', 'Failed', 'SecretMissing', true, /Secret gone.* volume v/, /`pod.volumes`/],
]

test('every recorded trouble ends in its state, one sentence of cause and one of what to do', () => {
  for (const [name, state, reason, final, sentence = /(?:)/, advice = /(?:)/] of table) {
    const explanation = explainService(readRecordedLook(name))
    assert.equal(explanation.state, state, name)
    const [cause] = explanation.causes
    assert.deepEqual([cause?.reason, cause?.final], [reason, final], name)
    assert.match(cause?.sentence ?? '', sentence, name)
    assert.match(cause?.advice ?? '', advice, name)
    for (const { sentence, advice, sinceMs } of explanation.causes) {
      assert.doesNotMatch(`${sentence}${advice}`, /undefined|\n/, name)
      assert.doesNotMatch(sentence, /\.$/, name)
      assert.ok(sinceMs > 0 && sinceMs <= readRecordedLook(name).atMs, `${name}: ${sinceMs}`)
    }
  }
})

test('no recorded look is left out of the table', () => {
  const recorded = readdirSync(recordedLooks).map((file) => file.replace('.json', ''))
  assert.deepEqual(
    table.map(([name]) => name),
    recorded.toSorted(),
  )
})

test('the summary is one sentence with the counts and the cause', () => {
  assert.equal(
    explainService(readRecordedLook('quota')).summary,
    'cats is degraded: 2 of 3 replicas serve, because the quota team of namespace ml has no room for one pod more: 2 of 2 requests.cpu used, 1 more asked for',
  )
  assert.equal(
    explainService(readRecordedLook('update-going-on')).summary,
    'cats is on its way: 1 of 3 replicas are new and ready, 2 old ones are left',
  )
  // What serves is not there because of what does not.
  assert.match(
    explainService(readRecordedLook('bad-update')).summary,
    /^cats is degraded: (\d) of \1 replicas serve, and the new revision does not get ready because of pod cats-\S+: it /,
  )
})

test('what a crashed container said last is told, also as a line of our own log', () => {
  const look = readRecordedLook('crash')
  const pod = look.pods[0]?.metadata?.name ?? ''
  const said = (tail: string) => explainService(look, { logTails: { [pod]: tail } }).causes[0]?.sentence
  assert.match(
    said('loading model\nError: no input named pixels\n') ?? '',
    /its last words: Error: no input named pixels$/,
  )
  assert.match(
    said('{"level":"error","msg":"no such operator"}\n{"level":"info","msg":"bye"}') ?? '',
    /last words: no such operator$/,
  )
})

test('a program that says it listens elsewhere has the wrong port and is not slow', () => {
  const look = readRecordedLook('startup-wrong-port')
  const pod = look.pods[0]?.metadata?.name ?? ''
  const [cause] = explainService(look, { logTails: { [pod]: 'listening on 9999\n' } }).causes
  assert.equal(cause?.reason, 'WrongPort')
  assert.match(cause?.sentence ?? '', /port 8080, .* listens on port 9999$/)
})

test('who holds the GPUs is told where it is known', () => {
  const holders = [{ node: 'fake-1', resource: 'nvidia.com/gpu', pod: 'train/t-42', count: 8 }]
  assert.match(
    explainService(readRecordedLook('no-gpu'), { holders }).causes[0]?.sentence ?? '',
    /train\/t-42 holds 8 on fake-1/,
  )
})

test('nodes that may not be seen leave what the scheduler says', () => {
  const [cause] = explainService({ ...readRecordedLook('no-gpu'), nodes: [] }).causes
  assert.equal(cause?.reason, 'NoGpuFree')
  const [taint] = explainService({ ...readRecordedLook('taint'), nodes: [] }).causes
  assert.equal(taint?.reason, 'Tainted')
})

test('a pod without a place is no final cause while a node is added for it, or a replica makes room', () => {
  const look = readRecordedLook('no-gpu')
  const waiting = look.pods.find(({ spec }) => spec?.nodeName === undefined)
  const regarding = { kind: 'Pod', name: waiting?.metadata?.name ?? '', uid: waiting?.metadata?.uid ?? '' }
  const scaleUp = {
    reason: 'TriggeredScaleUp',
    note: 'pod triggered scale-up',
    regarding,
    eventTime: new Date(look.atMs).toISOString(),
  }
  const [added] = explainService({ ...look, events: [...look.events, scaleUp] }).causes
  assert.deepEqual([added?.reason, added?.final], ['WaitsForNode', false])
  const ending = structuredClone(look.pods.find(({ spec }) => spec?.nodeName !== undefined) ?? {})
  Object.assign(ending.metadata ?? {}, { deletionTimestamp: '2026-11-26T00:00:00Z' })
  assert.equal(explainService({ ...look, pods: [...look.pods, ending] }).causes[0]?.final, false)
})

test('an endpoint that does not say whether it is ready is ready; one that says no is not', () => {
  const reasonsWith = (conditions: object | undefined): readonly string[] => {
    const look = structuredClone(readRecordedLook('ready'))
    for (const endpoint of look.endpoints.flatMap(({ endpoints }) => endpoints)) Object.assign(endpoint, { conditions })
    return explainService(look).causes.map(({ reason }) => reason)
  }
  assert.deepEqual(reasonsWith(undefined), [])
  assert.deepEqual(reasonsWith({ serving: true }), [])
  assert.deepEqual(reasonsWith({ ready: false }), ['NoEndpoints'])
})

test('a quota that has room by now is waited for', () => {
  const look = structuredClone(readRecordedLook('quota'))
  Object.assign(look.quotas[0]?.status?.hard ?? {}, { 'requests.cpu': '5' })
  assert.equal(explainService(look).causes[0]?.final, false)
})

test('evicted pods say what ran out', () => {
  const look = structuredClone(readRecordedLook('ready'))
  const status = look.pods[0]?.status ?? {}
  Object.assign(status, {
    phase: 'Failed',
    reason: 'Evicted',
    message: 'The node was low on resource: memory. Threshold quantity: 100Mi, available: 20Mi. ',
    containerStatuses: [],
  })
  const [cause] = explainService(look).causes
  assert.equal(cause?.reason, 'Evicted')
  assert.match(cause?.sentence ?? '', /because memory ran out/)
})
