import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ProgramOutput } from '../containers/program.ts'
import { answersAdmin } from './api-access.ts'
import type { ControlPlaneSettings } from './control-plane.ts'
import { type Namespaces, bedFolder } from './namespaces.ts'
import { clusterPrograms } from './programs.ts'

/** What parts of a cluster are started with. */
export interface ClusterParts {
  readonly settings: ControlPlaneSettings
  /** From the test. */
  readonly url: string
  readonly keys: string
  /** From inside the cluster. */
  readonly kubeconfig: string
  /** In the namespaces of the control plane unless told. */
  start(name: string, args: readonly string[], program?: string, place?: Namespaces): void
  until(what: string, look: () => Promise<boolean>): Promise<void>
  /** The port of 127.0.0.1 by which the test gets there. */
  reach(host: string, port: number): Promise<number>
  kubectl(args: readonly string[]): Promise<ProgramOutput>
  apply(objects: readonly unknown[]): Promise<void>
}

/** From KWOK's own documents; what pods do is ours (`pod-stages.yaml`). */
const stockDocuments = [
  'stage/node/fast/node-initialize.yaml',
  'stage/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml',
  'metrics/resource/metrics-resource.yaml',
  'metrics/usage/usage-from-annotation.yaml',
  'stage/pod/fast/pod-complete.yaml',
  'stage/pod/fast/pod-delete.yaml',
]

export async function startKwok({
  settings,
  start,
  until,
  kubectl,
  reach,
  url,
  keys,
  kubeconfig,
}: ClusterParts): Promise<void> {
  const { host, ports } = settings
  const kinds = join(clusterPrograms.kwok, 'crd', 'bases')
  await kubectl(['apply', '--server-side', '-f', kinds])
  const names = readdirSync(kinds).map(
    (file) => `crd/${file.slice('kwok.x-k8s.io_'.length, -'.yaml'.length)}.kwok.x-k8s.io`,
  )
  await kubectl(['wait', '--for=condition=established', '--timeout=30s', ...names])
  const files = [...stockDocuments.map((file) => join(clusterPrograms.kwok, file)), join(bedFolder, 'pod-stages.yaml')]
  await kubectl(['apply', '--server-side', ...files.map((file) => `--filename=${file}`)])
  start('kwok', [
    `--kubeconfig=${kubeconfig}`,
    '--manage-all-nodes=false',
    '--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake',
    `--tls-cert-file=${keys}/admin.crt`,
    `--tls-private-key-file=${keys}/admin.key`,
    `--node-ip=${host}`,
    '--node-name=localhost',
    `--node-port=${ports.kwok}`,
    `--server-address=${host}:${ports.kwok}`,
    '--node-lease-duration-seconds=200',
    '--enable-crds=Stage,Metric,ResourceUsage,ClusterResourceUsage',
  ])
  const address = `https://127.0.0.1:${await reach(host, ports.kwok)}`
  await until('kwok', () => answersAdmin(`${address}/healthz`, keys))
  await until('the API server', () => answersAdmin(`${url}/readyz`, keys))
}

export async function startMetricsServer({
  settings,
  start,
  until,
  apply,
  url,
  keys,
  kubeconfig,
}: ClusterParts): Promise<void> {
  const { host, ports } = settings
  start('metrics-server', [
    `--kubeconfig=${kubeconfig}`,
    `--tls-cert-file=${keys}/admin.crt`,
    `--tls-private-key-file=${keys}/admin.key`,
    `--address=${host}`,
    `--port=${ports.metrics}`,
    '--metric-resolution=5s',
  ])
  const service = { name: 'metrics-server', namespace: 'kube-system' }
  await apply([
    // By name: endpoints cannot hold addresses of loopback.
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: service,
      spec: { type: 'ExternalName', externalName: host, ports: [{ name: 'https', port: ports.metrics }] },
    },
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1beta1.metrics.k8s.io' },
      spec: {
        group: 'metrics.k8s.io',
        version: 'v1beta1',
        groupPriorityMinimum: 100,
        versionPriority: 100,
        insecureSkipTLSVerify: true,
        service: { ...service, port: ports.metrics },
      },
    },
  ])
  await until('metrics-server', () => answersAdmin(`${url}/apis/metrics.k8s.io/v1beta1`, keys))
}
