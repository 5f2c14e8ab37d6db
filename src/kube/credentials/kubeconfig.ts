import { existsSync, readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'
import type { KubeConfig } from '@kubernetes/client-node'
import type { Clock } from '../../base/clock.ts'
import { TowlineError, hasErrno } from '../../base/errors.ts'
import type { AccessWishes, ClusterAccess, ClusterTls } from './access.ts'
import { readInCluster } from './in-cluster.ts'
import { chooseProxy } from './proxy.ts'
import { openTokenFile } from './token-file.ts'

/**
 * Access to a cluster: from the files that are named, from KUBECONFIG, from `~/.kube/config`, or from inside a pod. Of several files
 * the first that has a name wins, as with kubectl. TL_KUBECONFIG_UNUSABLE names the file and what it has.
 */
export async function readAccess(wishes: AccessWishes, clock: Clock): Promise<ClusterAccess> {
  const { env = process.env, kubeconfig = env['KUBECONFIG'] } = wishes
  const named = kubeconfig !== undefined && kubeconfig !== ''
  const home = join(env['HOME'] ?? homedir(), '.kube', 'config')
  const files = named ? kubeconfig.split(delimiter).filter((file) => file !== '') : [home]
  const present = files.filter((file) => existsSync(file))
  if (present.length > 0) return readFiles(present, wishes, clock)
  const inCluster = named ? undefined : readInCluster(wishes, clock)
  if (inCluster !== undefined) return inCluster
  throw unusable(
    `there is no ${files.join(' and no ')}`,
    'sign in to a cluster, or name the file with the variable KUBECONFIG',
  )
}

interface Entry {
  readonly name: string
  readonly [kind: string]: unknown
}

interface MergedFile {
  readonly clusters: readonly Entry[]
  readonly users: readonly Entry[]
  readonly contexts: readonly Entry[]
  readonly current: string | undefined
}

async function readFiles(files: readonly string[], wishes: AccessWishes, clock: Clock): Promise<ClusterAccess> {
  const merged = mergeFiles(files.map(readFile))
  const where = files.join(', ')
  const name = wishes.context ?? merged.current
  const known = merged.contexts.map((context) => context.name).join(', ') || 'none'
  if (name === undefined || name === '')
    throw unusable(`${where} has no current context`, `choose one with --context; there are: ${known}`)
  const context = merged.contexts.find((entry) => entry.name === name)
  if (context === undefined) throw unusable(`${where} has no context \`${name}\``, `there are: ${known}`)
  const { cluster: clusterName, user: userName, namespace } = readFields(context, 'context')
  const cluster = merged.clusters.find((entry) => entry.name === clusterName)
  if (cluster === undefined)
    throw unusable(
      `${where}: context \`${name}\` is of the cluster \`${String(clusterName)}\`, which is not there`,
      'add it, or choose another context',
    )
  const user = merged.users.find((entry) => entry.name === userName) ?? { name: textOf(userName) ?? '', user: {} }
  const config = await loadConfig({ context: { ...context, name }, cluster, user }, where)
  const options = await authenticate(config, where)
  const server = (textOf(readFields(cluster, 'cluster')['server']) ?? '').replace(/\/+$/, '')
  if (!/^https?:$/.test(URL.canParse(server) ? new URL(server).protocol : ''))
    throw unusable(
      `${where}: the cluster \`${cluster.name}\` has the server \`${server}\``,
      'write an https:// address',
    )
  const proxy = chooseProxy(server, textOf(readFields(cluster, 'cluster')['proxy-url']), wishes.env ?? process.env)
  const tokenFile = textOf(readFields(user, 'user')['tokenFile'])
  return {
    server,
    context: name,
    namespace: wishes.namespace ?? textOf(namespace) ?? 'default',
    tls: readTls(options),
    ...(proxy === undefined ? {} : { proxy }),
    authorize: tokenFile === undefined ? openAuthenticator(config, where) : openTokenFile(tokenFile, clock),
  }
}

function readFile(file: string): MergedFile {
  let value: unknown
  try {
    if (statSync(file).isDirectory()) throw unusable(`${file} is a folder`, 'name the file in it')
    value = parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    if (cause instanceof TowlineError) throw cause
    const what = hasErrno(cause, 'EACCES') ? 'may not be read' : 'is no YAML'
    throw unusable(`${file} ${what}`, 'mend it, or name another one with the variable KUBECONFIG', cause)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw unusable(`${file} is no kubeconfig`, 'name another one with the variable KUBECONFIG')
  const document = value as Readonly<Record<string, unknown>> // an object, checked
  const list = (key: string, kind: string): Entry[] =>
    (Array.isArray(document[key]) ? (document[key] as unknown[]) : [])
      .filter((entry): entry is Entry => typeof (entry as Entry | null)?.name === 'string')
      .map((entry) => ({ ...entry, [kind]: resolvePaths(readFields(entry, kind), dirname(resolve(file))) }))
  return {
    clusters: list('clusters', 'cluster'),
    users: list('users', 'user'),
    contexts: list('contexts', 'context'),
    current: textOf(document['current-context']),
  }
}

/** Paths in a kubeconfig are relative to its folder; so is a command that has a slash. */
function resolvePaths(fields: Readonly<Record<string, unknown>>, folder: string): Readonly<Record<string, unknown>> {
  const files = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile']
  const resolved = Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      files.includes(key) && typeof value === 'string' && value !== '' ? resolve(folder, value) : value,
    ]),
  )
  const exec = resolved['exec'] as { readonly command?: string } | undefined
  return exec?.command?.includes('/') === true
    ? { ...resolved, exec: { ...exec, command: resolve(folder, exec.command) } }
    : resolved
}

function mergeFiles(files: readonly MergedFile[]): MergedFile {
  const first = (key: 'clusters' | 'users' | 'contexts'): Entry[] =>
    [
      ...new Map(
        files
          .flatMap((file) => file[key])
          .toReversed()
          .map((entry) => [entry.name, entry]),
      ).values(),
    ].toReversed()
  return {
    clusters: first('clusters'),
    users: first('users'),
    contexts: first('contexts'),
    current: files.map(({ current }) => current).find((current) => current !== undefined && current !== ''),
  }
}

/** The official library knows the ways to sign in: certificates, tokens, exec plugins, OpenID Connect. Loaded when it is needed. */
async function loadConfig(
  { context, cluster, user }: { readonly context: Entry; readonly cluster: Entry; readonly user: Entry },
  where: string,
): Promise<KubeConfig> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  const { tokenFile: _ours, ...userFields } = readFields(user, 'user')
  // The library asks for this word where a server speaks plain HTTP, as one behind `kubectl proxy` does.
  const plain = textOf(readFields(cluster, 'cluster')['server'])?.startsWith('http:') === true
  const clusterFields = { ...readFields(cluster, 'cluster'), ...(plain ? { 'insecure-skip-tls-verify': true } : {}) }
  try {
    config.loadFromString(
      JSON.stringify({
        clusters: [{ ...cluster, cluster: clusterFields }],
        contexts: [context],
        users: [{ ...user, user: userFields }],
        'current-context': context.name,
      }),
    )
    return config
  } catch (cause) {
    throw unusable(`${where}: ${reasonOf(cause)}`, 'mend it, or choose another context with --context', cause)
  }
}

type Options = Parameters<KubeConfig['applyToHTTPSOptions']>[0]

async function authenticate(config: KubeConfig, where: string): Promise<Options> {
  const options: Options = {}
  try {
    await config.applyToHTTPSOptions(options)
    return options
  } catch (cause) {
    const user = config.getCurrentUser()
    const command = (user?.exec as { readonly command?: string } | undefined)?.command
    if (command === undefined)
      throw unusable(`${where}: ${reasonOf(cause)}`, 'mend it, or choose another context with --context', cause)
    throw unusable(
      `${where}: the command \`${command}\`, by which \`${user?.name}\` signs in, failed: ${reasonOf(cause)}`,
      hasErrno(cause, 'ENOENT') ? `install ${command}` : `run ${command} by hand to see why`,
      cause,
    )
  }
}

/** Certificates are read once; headers may change with each renewal. A renewed exec plugin is asked anew by a fresh library. */
function openAuthenticator(first: KubeConfig, where: string): ClusterAccess['authorize'] {
  let config = first
  return async (renewed) => {
    if (renewed) {
      const { KubeConfig } = await import('@kubernetes/client-node')
      const fresh = new KubeConfig()
      fresh.loadFromOptions(config)
      config = fresh
    }
    const { headers = {}, auth } = await authenticate(config, where)
    const said = Object.fromEntries(Object.entries(headers).map(([key, value]) => [key.toLowerCase(), String(value)]))
    return auth === undefined || auth === null || said['authorization'] !== undefined
      ? said
      : { ...said, authorization: `Basic ${Buffer.from(auth).toString('base64')}` }
  }
}

function readTls({ ca, cert, key, servername, rejectUnauthorized }: Options): ClusterTls {
  return {
    ...(ca === undefined ? {} : { ca: ca as Uint8Array }),
    ...(cert === undefined ? {} : { cert: cert as Uint8Array }),
    ...(key === undefined ? {} : { key: key as Uint8Array }),
    ...(servername === undefined ? {} : { servername }),
    rejectUnauthorized: rejectUnauthorized ?? true,
  }
}

function readFields(entry: Entry, kind: string): Readonly<Record<string, unknown>> {
  const fields = entry[kind]
  return typeof fields === 'object' && fields !== null ? (fields as Record<string, unknown>) : {}
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** One line, without what a plugin may have printed of secrets beyond its first. */
function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause)
  return text.trim().split('\n', 1)[0]?.slice(0, 300) || 'it ended without a word'
}

function unusable(detail: string, hint: string, cause?: unknown): TowlineError {
  return new TowlineError('TL_KUBECONFIG_UNUSABLE', detail, cause === undefined ? { hint } : { hint, cause })
}
