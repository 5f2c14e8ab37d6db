import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createSecureContext } from 'node:tls'
import type { Clock } from '../../base/clock.ts'
import { oneLine } from '../../base/display.ts'
import { TowlineError } from '../../base/errors.ts'
import type { AccessWishes, Authority, ClusterAccess, ClusterTls, Login } from './access.ts'
import { checkHeaders } from './headers.ts'
import { readInCluster } from './in-cluster.ts'
import { type Entry, type Kubeconfig, readKubeconfig, readTextField } from './kubeconfig-files.ts'
import { openPluginLogin } from './plugin-login.ts'
import { chooseProxy } from './proxy.ts'
import { openStaticLogin, readPem } from './static-login.ts'
import { unusable } from './unusable.ts'

/**
 * Access to a cluster: from the files that are named, from KUBECONFIG, from `~/.kube/config`, or from inside a pod. Of several files
 * those that are not there are passed over, as with kubectl. TL_KUBECONFIG_UNUSABLE names the file, the context and what there is.
 */
export async function readAccess(wishes: AccessWishes, clock: Clock): Promise<ClusterAccess> {
  const { env = process.env } = wishes
  checkNamespace(wishes.namespace)
  const named = wishes.kubeconfig ?? env['KUBECONFIG'] ?? ''
  const files = named === '' ? [join(env['HOME'] ?? homedir(), '.kube', 'config')] : splitFiles(named)
  const present = files.filter((file) => existsSync(file))
  if (present.length > 0) return await readFiles(readKubeconfig(present), wishes, clock)
  const inCluster = named === '' ? readInCluster(wishes, clock) : undefined
  if (inCluster !== undefined) return inCluster
  throw unusable(
    `there is no ${files.join(' and no ')}`,
    'sign in to a cluster, or name the file with the variable KUBECONFIG',
  )
}

/** A server would answer to another name that there is no such resource. */
function checkNamespace(namespace: string | undefined): void {
  if (namespace === undefined || (namespace.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(namespace))) return
  throw new TowlineError('TL_REQUEST_INVALID', `\`${oneLine(namespace)}\` is no name of a namespace`, {
    hint: 'use lower-case letters, digits and `-`, at most 63, first and last a letter or digit',
  })
}

function splitFiles(named: string): string[] {
  return [...new Set(named.split(delimiter).filter((file) => file !== ''))]
}

async function readFiles(config: Kubeconfig, wishes: AccessWishes, clock: Clock): Promise<ClusterAccess> {
  const context = findContext(config, wishes.context)
  const at = `${context.file}: the context \`${context.name}\``
  const cluster = findNamed(config.clusters, 'cluster', context, at)
  const user = findNamed(config.users, 'user', context, at)
  if (cluster === undefined) throw unusable(`${at} names no cluster`, wayOut(config))
  const atCluster = `${cluster.file}: the cluster \`${cluster.name}\``
  const server = readServer(cluster, atCluster)
  const proxy = chooseProxy(
    server,
    readTextField(cluster.fields, 'proxy-url', atCluster),
    wishes.env ?? process.env,
    atCluster,
  )
  const login = openLogin({ context, cluster, user }, clock, wishes.signal)
  const who = user === undefined ? at : `${user.file}: the user \`${user.name}\``
  const authorize: Login = async (refused) => checkHeaders(await login(refused), who)
  const tls = readTls(cluster, atCluster)
  // Now, and not at the first request: whoever reads the message knows then which file it is about.
  checkTls(tls, await authorize(), who)
  return {
    server,
    context: context.name,
    namespace: wishes.namespace ?? readTextField(context.fields, 'namespace', at) ?? 'default',
    tls,
    ...(proxy === undefined ? {} : { proxy }),
    authorize,
  }
}

function findContext(config: Kubeconfig, wished: string | undefined): Entry {
  const where = config.files.join(', ')
  const name = wished ?? config.current
  if (name === undefined) throw unusable(`${where} has no current context`, wayOut(config))
  const context = config.contexts.find((entry) => entry.name === name)
  if (context === undefined) throw unusable(`${where} has no context \`${name}\``, wayOut(config))
  return context
}

function wayOut({ contexts }: Kubeconfig): string {
  return contexts.length === 0
    ? 'there is no context in it; sign in to a cluster'
    : `choose another one with --context; there are: ${contexts.map(({ name }) => name).join(', ')}`
}

function findNamed(entries: readonly Entry[], kind: 'cluster' | 'user', context: Entry, at: string): Entry | undefined {
  const name = readTextField(context.fields, kind, at)
  const found = entries.find((entry) => entry.name === name)
  if (name !== undefined && found === undefined) {
    const known = entries.map((entry) => entry.name).join(', ') || 'none'
    throw unusable(`${at} names the ${kind} \`${name}\`, which is not there`, `there are: ${known}`)
  }
  return found
}

function readServer({ fields }: Entry, at: string): string {
  const server = readTextField(fields, 'server', at)?.replace(/\/+$/, '')
  if (server === undefined) throw unusable(`${at} has no server`, 'write its https:// address')
  if (URL.canParse(server) && /^https?:$/.test(new URL(server).protocol)) return server
  throw unusable(`${at} has the server \`${server}\``, 'write an https:// address')
}

function readTls(cluster: Entry, at: string): ClusterTls {
  const ca = readPem(cluster.fields, 'certificate-authority', at)
  const servername = readTextField(cluster.fields, 'tls-server-name', at)
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(servername === undefined ? {} : { servername }),
    rejectUnauthorized: cluster.fields['insecure-skip-tls-verify'] !== true,
  }
}

function openLogin(
  { context, cluster, user }: { readonly context: Entry; readonly cluster: Entry; readonly user: Entry | undefined },
  clock: Clock,
  signal: AbortSignal | undefined,
): Login {
  if (user === undefined) return () => Promise.resolve({ headers: {} })
  const hasPlugin = user.fields['exec'] !== undefined || user.fields['auth-provider'] !== undefined
  return hasPlugin ? openPluginLogin({ context, cluster, user }, clock, signal) : openStaticLogin(user, clock)
}

function checkTls({ ca }: ClusterTls, { certificate }: Authority, who: string): void {
  try {
    createSecureContext({ ...(ca === undefined ? {} : { ca }), ...certificate })
  } catch (error) {
    // OpenSSL says what is wrong and quotes nothing.
    const what = error instanceof Error ? error.message : String(error)
    throw unusable(`${who}: the certificate cannot be used with its key or authority (${what})`, 'sign in again')
  }
}
