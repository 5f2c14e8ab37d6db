import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runToEnd } from './run-inside.ts'
import type { ClusterParts } from './kwok.ts'
import type { Namespaces } from './namespaces.ts'
import { addressOf, podsOf } from './node-network.ts'
import { writeArchive } from './program-image.ts'
import { clusterPrograms } from './programs.ts'
import { type GpuOffer, offerGpus, writeGpuRuntime } from './gpu-node.ts'

interface RealNode {
  loadImage(archive: string): Promise<void>
}

const pauseImage = 'localhost/pause:1'

/** `real-NUMBER`, at 10.199.0.NUMBER. */
export interface NodePlace {
  readonly number: 1 | 2
  readonly namespaces: Namespaces
  /** Absent: none of the machine's. */
  readonly gpu?: GpuOffer
}

/** containerd, a kubelet and kube-proxy in a node's namespaces. Resolves once the node is Ready. */
export async function startRealNode(parts: ClusterParts, place: NodePlace): Promise<RealNode> {
  const { settings, until, kubectl } = parts
  const { namespaces, number, gpu } = place
  const { folder } = namespaces
  const nodeName = `real-${number}`
  const host = addressOf(number)
  const keys = join(settings.folder, 'keys')
  const start = (name: string, args: readonly string[], program = clusterPrograms.at(name)): void =>
    parts.start(number === 1 ? name : `${name}-${number}`, args, program, namespaces)
  makeCgroups(namespaces.cgroup)
  const socket = join(folder, 'containerd.sock')
  for (const name of ['cni', 'kubelet']) mkdirSync(join(folder, name))
  writeFileSync(
    join(folder, 'containerd.toml'),
    writeContainerdConfig(folder, socket, gpu === undefined ? '' : writeGpuRuntime(folder)),
  )
  writeFileSync(join(folder, 'cni', '10-bridge.conflist'), JSON.stringify(writeNetwork(folder, number)))
  writeFileSync(join(folder, 'pod-resolv.conf'), '')
  const kubelet = writeKubeletConfig({ folder, keys, nodeName, host, socket, cgroup: namespaces.cgroup })
  writeFileSync(join(folder, 'kubelet.yaml'), JSON.stringify(kubelet))
  const proxy = writeProxyConfig(join(settings.folder, 'proxy.kubeconfig'), nodeName)
  writeFileSync(join(folder, 'proxy.yaml'), JSON.stringify(proxy))

  start('containerd', ['--config', join(folder, 'containerd.toml')], 'containerd')
  const ctr = (...args: string[]): Promise<void> =>
    runToEnd(namespaces, 'ctr', ['--address', socket, '--namespace', 'k8s.io', ...args])
  await until('containerd', () => ctr('version').then(() => true))
  const pauseArchive = join(folder, 'pause.tar')
  await writeArchive(pauseArchive, pauseImage, clusterPrograms.pause)
  await ctr('images', 'import', pauseArchive)
  start('kubelet', [
    `--kubeconfig=${settings.folder}/${nodeName}.kubeconfig`,
    `--config=${folder}/kubelet.yaml`,
    '--root-dir=/var/lib/kubelet',
    `--hostname-override=${nodeName}`,
    `--node-ip=${host}`,
    '--node-labels=towline.test/node=real',
  ])
  start('kube-proxy', [`--config=${folder}/proxy.yaml`])
  await until(nodeName, () =>
    kubectl(['wait', '--for=condition=Ready', '--timeout=1s', `node/${nodeName}`]).then(() => true),
  )
  if (gpu !== undefined) await offerGpus(parts, namespaces, nodeName, gpu)
  return { loadImage: (archive) => ctr('images', 'import', archive) }
}

/**
 * `keeper.sh` takes them away. A cpuset made by hand starts empty. All pods together would weigh as much as one other process of the
 * machine: with one that computes they would be late for every probe.
 */
function makeCgroups(name: string): void {
  const root = '/sys/fs/cgroup'
  if (existsSync(join(root, 'cgroup.controllers'))) {
    mkdirSync(join(root, name))
    if (existsSync(join(root, name, 'cpu.weight'))) writeFileSync(join(root, name, 'cpu.weight'), '1000')
    return
  }
  for (const hierarchy of readdirSync(root)) {
    if (existsSync(join(root, hierarchy, 'cgroup.procs'))) mkdirSync(join(root, hierarchy, name), { recursive: true })
  }
  writeFileSync(join(root, 'cpu', name, 'cpu.shares'), '10240')
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    const from = join(root, 'cpuset', file)
    if (existsSync(from)) writeFileSync(join(root, 'cpuset', name, file), readFileSync(from))
  }
}

/** @param more runtimes beside runc */
function writeContainerdConfig(folder: string, socket: string, more: string): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"'
  // Without CAP_SYS_RESOURCE no process may be protected more than its parent: hence `restrict_oom_score_adj`.
  return `version = 2
root = "${folder}/containerd"
state = "${folder}/run/state"
[grpc]
  address = "${socket}"
[${cri}]
  sandbox_image = "${pauseImage}"
  restrict_oom_score_adj = true
  [${cri}.containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [${cri}.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [${cri}.containerd.runtimes.runc.options]
        SystemdCgroup = false
  [${cri}.cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${folder}/cni"
${more}`
}

function writeNetwork(folder: string, number: number): unknown {
  const ipam = {
    type: 'host-local',
    dataDir: join(folder, 'ipam'),
    ranges: [[{ subnet: podsOf(number) }]],
    routes: [{ dst: '0.0.0.0/0' }],
  }
  return {
    cniVersion: '0.4.0',
    name: 'pods',
    plugins: [
      { type: 'bridge', bridge: 'cni0', isGateway: true, hairpinMode: true, ipam },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  }
}

interface KubeletPlace {
  readonly folder: string
  readonly keys: string
  readonly nodeName: string
  readonly host: string
  readonly socket: string
  readonly cgroup: string
}

function writeKubeletConfig({ folder, keys, nodeName, host, socket, cgroup }: KubeletPlace): unknown {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(keys, 'ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: join(keys, `${nodeName}.crt`),
    tlsPrivateKeyFile: join(keys, `${nodeName}.key`),
    address: host,
    containerRuntimeEndpoint: `unix://${socket}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${cgroup}`,
    failCgroupV1: false,
    failSwapOn: false,
    clusterDNS: ['10.96.0.10'],
    clusterDomain: 'cluster.local',
    resolvConf: join(folder, 'pod-resolv.conf'),
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    imageGCHighThresholdPercent: 100,
  }
}

function writeProxyConfig(kubeconfig: string, nodeName: string): unknown {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { kubeconfig },
    mode: 'iptables',
    clusterCIDR: '10.245.0.0/16',
    hostnameOverride: nodeName,
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  }
}
