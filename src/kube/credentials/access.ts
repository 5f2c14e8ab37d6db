/** How one API server is reached, and as whom. */
export interface ClusterAccess {
  /** `https://…`, without a slash at its end. */
  readonly server: string
  readonly context: string
  readonly namespace: string
  readonly tls: ClusterTls
  /** `http://proxy:3128`; absent: straight. */
  readonly proxy?: string
  /** Who asks. `refused`: an answer that the server did not take. TL_KUBECONFIG_UNUSABLE where a file or a plugin fails. */
  readonly authorize: Login
}

export type Login = (refused?: Authority) => Promise<Authority>

export interface Authority {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Shown when a connection is made; another one than before wants new connections. */
  readonly certificate?: ClientCertificate
}

/** Both in PEM. */
export interface ClientCertificate {
  readonly cert: string
  readonly key: string
}

export interface ClusterTls {
  /** PEM; absent: the authorities that Node trusts. */
  readonly ca?: string
  /** Name that the certificate of the server has to have; absent: the host's. */
  readonly servername?: string
  /** False where the kubeconfig says `insecure-skip-tls-verify`. */
  readonly rejectUnauthorized: boolean
}

export interface AccessWishes {
  /** Files as in KUBECONFIG; absent: that variable, then `~/.kube/config`, then the pod's own account. */
  readonly kubeconfig?: string
  /** Absent: the current one. */
  readonly context?: string
  /** Absent: the context's, then `default`. */
  readonly namespace?: string
  /** Absent: that of the process. Plugins get the one of the process in any case. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Where the kubelet puts what a pod's own account is. */
  readonly accountFolder?: string
  /** Ends a login under way, at the opening and later: what it waits for is rejected with the reason. */
  readonly signal?: AbortSignal | undefined
}
