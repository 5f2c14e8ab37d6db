/**
 * A Kubernetes 1.35.4 for one test: etcd, API server, controllers and scheduler from one program that `scripts/setup-peers cluster`
 * builds, about eight seconds to start and 1 GiB of memory. KWOK plays nodes and their pods, steered by annotations that
 * `test/cluster/pod-stages.yaml` lists. Everything listens on 127.0.0.1 at free ports, so that several can run at once.
 * There is no cluster DNS, and no bytes flow to pods that KWOK plays.
 *
 * With `node` all of it lives in a network of its own (10.199.0.1, pods 10.245.0.0/24, services 10.96.0.0/16) together with one real
 * node, `real-1`: containerd, kubelet and kube-proxy. `kubeconfig` leads there through a relay, so that tests look the same.
 */
import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type ProgramOutput, runProgram } from '../containers/program.ts'
import type { Scope } from '../scope.ts'
import { answersAdmin, writeKubeconfig } from './api-access.ts'
import {
  type ControlPlaneSettings,
  writeApiServerArgs,
  writeControllerArgs,
  writeEtcdArgs,
  writeSchedulerArgs,
} from './control-plane.ts'
import { type Daemon, startDaemon, untilReady } from './daemon.ts'
import { type FakeNode, writeFakeNode } from './fake-nodes.ts'
import { findClusterPorts } from './cluster-ports.ts'
import { type GpuOffer, requireGpu } from './gpu-node.ts'
import { type ClusterParts, startKwok, startMetricsServer } from './kwok.ts'
import { bedFolder, openNamespaces } from './namespaces.ts'
import { addressOf, openSecondMachine } from './node-network.ts'
import { type NodePlace, startRealNode } from './real-node.ts'
import { startRelay } from './relay.ts'
import { clusterPrograms, requireCluster } from './programs.ts'

export interface ClusterOptions {
  /** Fake nodes can be made. Default: true. */
  readonly kwok?: boolean
  /** A real node, which runs images that `loadImage` gave it. Default: false. */
  readonly node?: boolean
  /** `real-2` as well, a machine of its own as far as the network goes. Default: false. */
  readonly secondNode?: boolean
  /** The machine's NVIDIA devices, offered by its real node. Default: not. */
  readonly gpu?: GpuOffer
  /** metrics-server: HPA and `top` work. Default: false. */
  readonly metrics?: boolean
  /** Such as `--horizontal-pod-autoscaler-sync-period=2s`. */
  readonly controllerFlags?: readonly string[]
  readonly apiServerFlags?: readonly string[]
}

export interface Cluster {
  /** Path of the administrator's. */
  readonly kubeconfig: string
  /** `https://127.0.0.1:PORT` of the API server. */
  readonly url: string
  /** `http://127.0.0.1:PORT`, inside the cluster's network where it has one. */
  readonly etcdUrl: string
  /** Folder with `ca.crt`, `admin.crt` and `admin.key`. */
  readonly keys: string
  kubectl(args: readonly string[], input?: string): Promise<ProgramOutput>
  /** Server-side apply of objects, in their order. */
  apply(objects: readonly unknown[]): Promise<void>
  /** Resolves once all of them are Ready. */
  applyNodes(nodes: readonly FakeNode[]): Promise<void>
  /** An archive of images for every real node, as `docker save` writes them. */
  loadImage(archive: string): Promise<void>
  /** A port of the machine's 127.0.0.1 that leads to an address in the cluster's network, such as that of a Service. */
  relay(host: string, port: number): Promise<number>
  /** Runs a program where addresses of pods and services are. */
  spawnInside(program: string, args: readonly string[], options?: SpawnOptions): ChildProcess
  /** As when its machine lost power. */
  stopApiServer(): Promise<void>
  startApiServer(): Promise<void>
  /** Connections stay open and nobody answers. */
  freezeApiServer(): void
  thawApiServer(): void
  /** Last lines of `etcd`, `kube-apiserver`, `kube-controller-manager`, `kube-scheduler`, `kwok` or `metrics-server`. */
  readLog(program: string): string
}

/** Undefined when the test was skipped. The cluster ends with the test, and with its process. */
export async function openCluster(test: Scope, options: ClusterOptions = {}): Promise<Cluster | undefined> {
  const { kwok = true, metrics = false, secondNode = false, controllerFlags = [], apiServerFlags = [] } = options
  const { gpu } = options
  const node = options.node === true || secondNode || gpu !== undefined
  if (gpu !== undefined && !requireGpu(test)) return undefined
  if (!requireCluster(test, { node })) return undefined
  const namespaces = await openNamespaces(test, node ? addressOf(1) : undefined)
  const { folder } = namespaces
  const keys = join(folder, 'keys')
  mkdirSync(keys)
  const ports = await findClusterPorts()
  const host = node ? addressOf(1) : '127.0.0.1'
  const relay = node ? startRelay(namespaces) : undefined
  const reach: Cluster['relay'] = async (host, port) => (relay === undefined ? port : await relay.open(host, port))
  const settings: ControlPlaneSettings = { folder, host, ports, announced: node, apiServerFlags, controllerFlags }
  const url = `https://127.0.0.1:${await reach(host, ports.api)}`
  const urlInside = `https://${host}:${ports.api}`
  const kubeconfig = join(folder, 'kubeconfig')
  const kubeconfigInside = join(folder, 'inside.kubeconfig')

  const daemons = new Map<string, Daemon>()
  const start: ClusterParts['start'] = (name, args, program = clusterPrograms.at(name), place = namespaces) => {
    daemons.set(name, startDaemon(place, name, program, args))
  }
  start('etcd', writeEtcdArgs(settings))
  await runProgram(join(bedFolder, 'keys.sh'), [keys])
  writeKubeconfig(kubeconfig, url, keys, 'admin')
  writeKubeconfig(kubeconfigInside, urlInside, keys, 'admin')
  for (const name of ['controllers', 'scheduler', 'proxy', 'real-1', 'real-2'])
    writeKubeconfig(join(folder, `${name}.kubeconfig`), urlInside, keys, name)

  const until = (what: string, look: () => Promise<boolean>): Promise<void> =>
    untilReady(what, [...daemons.values()], look)
  const startApiServer = async (): Promise<void> => {
    start('kube-apiserver', writeApiServerArgs(settings))
    await until('the API server', () => answersAdmin(`${url}/readyz`, keys))
  }
  await startApiServer()
  start('kube-controller-manager', writeControllerArgs(settings))
  start('kube-scheduler', writeSchedulerArgs(settings))

  const env = { ...process.env, KUBECONFIG: kubeconfig }
  const kubectl: Cluster['kubectl'] = (args, input = '') =>
    runProgram(clusterPrograms.at('kubectl'), args, { env, input })
  const apply: Cluster['apply'] = async (objects) => {
    const list = { apiVersion: 'v1', kind: 'List', items: objects }
    await kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], JSON.stringify(list))
  }
  const parts = { settings, start, until, kubectl, apply, reach, url, keys, kubeconfig: kubeconfigInside }
  if (kwok) await startKwok(parts)
  if (metrics) await startMetricsServer(parts)
  const places: NodePlace[] = node ? [{ number: 1, namespaces, ...(gpu === undefined ? {} : { gpu }) }] : []
  if (secondNode) places.push({ number: 2, namespaces: await openSecondMachine(test, namespaces) })
  const realNodes = await Promise.all(places.map((place) => startRealNode(parts, place)))
  // Pods are refused before.
  await until('the default service account', () =>
    answersAdmin(`${url}/api/v1/namespaces/default/serviceaccounts/default`, keys),
  )
  const find = (name: string): Daemon => {
    const daemon = daemons.get(name)
    if (daemon === undefined) throw new Error(`no ${name} was started; there are ${[...daemons.keys()].join(', ')}`)
    return daemon
  }
  return {
    kubeconfig,
    url,
    etcdUrl: `http://127.0.0.1:${ports.etcd}`,
    keys,
    kubectl,
    apply,
    async applyNodes(nodes) {
      await apply(nodes.map(writeFakeNode))
      const names = nodes.map(({ name }) => `node/${name}`)
      await kubectl(['wait', '--for=condition=Ready', '--timeout=60s', ...names])
    },
    async loadImage(archive) {
      if (realNodes.length === 0) throw new Error('only a cluster with a real node runs images')
      await Promise.all(realNodes.map((each) => each.loadImage(archive)))
    },
    async relay(host, port) {
      if (relay === undefined) throw new Error('only a cluster with a real node has a network of its own')
      return await relay.open(host, port)
    },
    spawnInside: (program, args, options = {}) =>
      namespaces.spawn(program, args, {
        ...options,
        env: { ...process.env, ...options.env, KUBECONFIG: kubeconfigInside },
      }),
    stopApiServer: () => find('kube-apiserver').kill(),
    startApiServer,
    freezeApiServer: () => find('kube-apiserver').signal('SIGSTOP'),
    thawApiServer: () => find('kube-apiserver').signal('SIGCONT'),
    readLog: (program) => find(program).readLog(),
  }
}
