/** Which port each program listens on. */
export interface ClusterPorts {
  readonly api: number
  readonly etcd: number
  readonly etcdPeer: number
  readonly controllers: number
  readonly scheduler: number
  readonly kwok: number
  readonly metrics: number
}

export interface ControlPlaneSettings {
  readonly folder: string
  /** Where programs of the cluster find each other. */
  readonly host: string
  readonly ports: ClusterPorts
  /** Addresses of loopback cannot be endpoints of a Service: then nobody announces the API server inside. */
  readonly announced: boolean
  /** More flags, added last, so that they win. */
  readonly apiServerFlags: readonly string[]
  readonly controllerFlags: readonly string[]
}

const serviceRange = '10.96.0.0/16'

export function writeEtcdArgs({ folder, ports }: ControlPlaneSettings): string[] {
  const client = `http://127.0.0.1:${ports.etcd}`
  const peer = `http://127.0.0.1:${ports.etcdPeer}`
  return [
    `--data-dir=${folder}/etcd`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    // What a test wrote need not survive the machine.
    '--unsafe-no-fsync',
    '--log-level=warn',
  ]
}

export function writeApiServerArgs({ folder, host, ports, announced, apiServerFlags }: ControlPlaneSettings): string[] {
  const key = (name: string): string => `${folder}/keys/${name}`
  return [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    `--bind-address=${host}`,
    `--advertise-address=${host}`,
    `--secure-port=${ports.api}`,
    `--endpoint-reconciler-type=${announced ? 'lease' : 'none'}`,
    `--service-cluster-ip-range=${serviceRange}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged',
    `--client-ca-file=${key('ca.crt')}`,
    `--tls-cert-file=${key('apiserver.crt')}`,
    `--tls-private-key-file=${key('apiserver.key')}`,
    // Otherwise exec and logs look the node's name up, and nobody answers.
    '--kubelet-preferred-address-types=InternalIP',
    `--kubelet-client-certificate=${key('admin.crt')}`,
    `--kubelet-client-key=${key('admin.key')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${key('accounts.pub')}`,
    `--service-account-signing-key-file=${key('accounts.key')}`,
    `--requestheader-client-ca-file=${key('front.crt')}`,
    '--requestheader-allowed-names=front-proxy-client',
    '--requestheader-username-headers=X-Remote-User',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    `--proxy-client-cert-file=${key('front-client.crt')}`,
    `--proxy-client-key-file=${key('front-client.key')}`,
    ...apiServerFlags,
  ]
}

export function writeControllerArgs({ folder, ports, controllerFlags }: ControlPlaneSettings): string[] {
  const kubeconfig = `${folder}/controllers.kubeconfig`
  return [
    ...writeAccess(kubeconfig, ports.controllers),
    '--use-service-account-credentials',
    `--service-account-private-key-file=${folder}/keys/accounts.key`,
    `--root-ca-file=${folder}/keys/ca.crt`,
    `--cluster-signing-cert-file=${folder}/keys/ca.crt`,
    `--cluster-signing-key-file=${folder}/keys/ca.key`,
    '--allocate-node-cidrs',
    '--cluster-cidr=10.244.0.0/16',
    '--node-cidr-mask-size=24',
    `--service-cluster-ip-range=${serviceRange}`,
    ...controllerFlags,
  ]
}

export function writeSchedulerArgs({ folder, ports }: ControlPlaneSettings): string[] {
  return writeAccess(`${folder}/scheduler.kubeconfig`, ports.scheduler)
}

function writeAccess(kubeconfig: string, port: number): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    '--leader-elect=false',
  ]
}
