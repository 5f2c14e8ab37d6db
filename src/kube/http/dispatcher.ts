import type { Dispatcher } from 'undici'
import type { ClientCertificate, ClusterAccess } from '../credentials/access.ts'

const connectTimeoutMs = 10_000
/** An API server keeps idle connections for 90 s; a shorter time here never meets a closing one. */
const keepAliveTimeoutMs = 30_000

/**
 * HTTP/1.1: each watch has a connection of its own, and what ends one connection ends one watch. Over HTTP/2 all would share one, and
 * nothing here sends hundreds of calls at a time (ADR 11). As many connections as there are calls: a queue would stop
 * everybody behind the watches.
 */
export async function openDispatcher(
  { proxy, tls }: Pick<ClusterAccess, 'proxy' | 'tls'>,
  certificate: ClientCertificate | undefined,
): Promise<Dispatcher> {
  // Reading it takes about 90 ms, which commands without a cluster need not pay.
  const { Agent, ProxyAgent } = await import('undici')
  const secure = { ...tls, ...certificate, timeout: connectTimeoutMs, allowH2: false }
  const common = { keepAliveTimeout: keepAliveTimeoutMs, connectTimeout: connectTimeoutMs, allowH2: false }
  if (proxy === undefined) return new Agent({ ...common, connect: { ...secure, keepAlive: true } })
  return new ProxyAgent({ ...common, uri: proxy, proxyTunnel: true, requestTls: secure })
}

export function isSameCertificate(one: ClientCertificate | undefined, other: ClientCertificate | undefined): boolean {
  return one?.cert === other?.cert && one?.key === other?.key
}
