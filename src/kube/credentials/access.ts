/** How one API server is reached, and as whom. */
export interface ClusterAccess {
  /** `https://…`, without a slash at its end. */
  readonly server: string
  readonly context: string
  readonly namespace: string
  readonly tls: ClusterTls
  /** `http://proxy:3128`; absent: straight. */
  readonly proxy?: string
  /** Headers that say who asks. `renewed`: the server did not take the last ones. */
  authorize(renewed: boolean): Promise<Readonly<Record<string, string>>>
}

export interface ClusterTls {
  readonly ca?: Uint8Array | string
  readonly cert?: Uint8Array | string
  readonly key?: Uint8Array | string
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
  readonly env?: Readonly<Record<string, string | undefined>>
}
