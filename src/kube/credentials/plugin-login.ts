import type { KubeConfig } from '@kubernetes/client-node'
import { withDeadline } from '../../base/deadline.ts'
import { oneLine } from '../../base/display.ts'
import { hasErrno } from '../../base/errors.ts'
import type { Authority, Login } from './access.ts'
import { type Entry, type Fields, isObject, readTextField } from './kubeconfig-files.ts'
import { readImpersonation } from './static-login.ts'
import { unusable } from './unusable.ts'

interface PluginUser {
  readonly context: Entry
  readonly cluster: Entry
  readonly user: Entry
}

/** A person may have to answer in a browser. */
const pluginTimeoutMs = 120_000
const knownProviders: readonly unknown[] = ['oidc', 'gcp', 'azure']

/**
 * What plugins say: commands (`exec`) and OpenID Connect. The official library runs them, keeps what they say until it ends, and is
 * loaded only here: it takes half a second and 70 MiB. TL_KUBECONFIG_UNUSABLE names the plugin; what it printed as answer is in no message.
 */
export function openPluginLogin(entries: PluginUser): Login {
  const what = checkPlugin(entries)
  const impersonation = readImpersonation(entries.user)
  let config: KubeConfig | undefined
  let asking: Promise<Authority> | undefined
  const ask = async (renewed: boolean): Promise<Authority> => {
    // Only a new one forgets what the plugin said before.
    if (config === undefined || renewed) config = await loadConfig(entries)
    const { headers, certificate } = await askLibrary(config, what)
    return {
      headers: { ...headers, ...impersonation },
      ...(certificate === undefined ? {} : { certificate }),
    }
  }
  // One at a time: ten requests at once must not open ten browsers.
  return (renewed) => {
    asking ??= ask(renewed).finally(() => (asking = undefined))
    return asking
  }
}

/** The plugin in words. */
function checkPlugin({ user }: PluginUser): string {
  const at = `${user.file}: the user \`${user.name}\``
  const { exec, 'auth-provider': provider } = user.fields
  if (isObject(exec)) {
    const command = readTextField(exec, 'command', at)
    if (command === undefined) throw unusable(`${at} has a plugin without a command`, 'sign in again')
    if (exec['interactiveMode'] === 'Always')
      throw unusable(
        `${at} signs in by \`${command}\`, which wants a terminal (interactiveMode: Always)`,
        'use a token, or a plugin that does without one',
      )
    return `${at} signs in by \`${command}\`, which`
  }
  const name = isObject(provider) ? provider['name'] : undefined
  if (!knownProviders.includes(name))
    throw unusable(`${at} signs in by the provider \`${String(name)}\`, which is not supported`, 'use an exec plugin')
  return `${at} signs in by the provider \`${String(name)}\`, which`
}

async function loadConfig({ context, cluster, user }: PluginUser): Promise<KubeConfig> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  const { exec } = user.fields
  const fields = isObject(exec) ? { ...user.fields, exec: tellPlugin(exec, cluster) } : user.fields
  config.loadFromString(
    JSON.stringify({
      clusters: [{ name: cluster.name, cluster: { server: 'https://127.0.0.1', ...cluster.fields } }],
      contexts: [{ name: context.name, context: context.fields }],
      users: [{ name: user.name, user: fields }],
      'current-context': context.name,
    }),
  )
  return config
}

/** Plugins ask for KUBERNETES_EXEC_INFO to know how to answer, and for which cluster; the library does not say it. */
function tellPlugin(exec: Fields, { fields }: Entry): Fields {
  const { server, 'certificate-authority-data': ca, 'tls-server-name': servername, 'proxy-url': proxy } = fields
  const cluster = {
    server,
    'certificate-authority-data': ca,
    'tls-server-name': servername,
    'proxy-url': proxy,
    'insecure-skip-tls-verify': fields['insecure-skip-tls-verify'],
    config: readExtension(fields['extensions']),
  }
  const info = {
    apiVersion: exec['apiVersion'] ?? 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: { interactive: false, ...(exec['provideClusterInfo'] === true ? { cluster } : {}) },
  }
  const env: unknown[] = Array.isArray(exec['env']) ? exec['env'] : []
  return { ...exec, env: [...env, { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }] }
}

function readExtension(extensions: unknown): unknown {
  if (!Array.isArray(extensions)) return undefined
  const found = (extensions as unknown[]).find(
    (entry): entry is Fields => isObject(entry) && entry['name'] === 'client.authentication.k8s.io/exec',
  )
  return found?.['extension']
}

async function askLibrary(config: KubeConfig, what: string): Promise<Authority> {
  const options: Parameters<KubeConfig['applyToHTTPSOptions']>[0] = {}
  const late = { code: 'TL_KUBECONFIG_UNUSABLE', what: `a login: ${what} gave none` } as const
  await withDeadline(
    pluginTimeoutMs,
    undefined,
    async (signal) => {
      const missed = Promise.withResolvers<never>()
      signal.addEventListener('abort', () => missed.reject(signal.reason as Error), { once: true })
      await Promise.race([config.applyToHTTPSOptions(options), missed.promise]).catch((error: unknown) => {
        if (signal.aborted) throw error
        throw explain(error, what)
      })
    },
    late,
  )
  const { cert, key } = options
  const headers = Object.entries(options.headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)])
  return {
    headers: Object.fromEntries(headers) as Record<string, string>,
    ...(isPem(cert) && isPem(key) ? { certificate: { cert: cert.toString(), key: key.toString() } } : {}),
  }
}

function isPem(value: unknown): value is string | Buffer {
  return typeof value === 'string' || Buffer.isBuffer(value)
}

function explain(error: unknown, what: string): Error {
  if (hasErrno(error, 'ENOENT')) return unusable(`${what} is not there`, 'install it, or sign in in another way')
  if (hasErrno(error, 'EACCES')) return unusable(`${what} may not be run`, 'see who may run it')
  // Of a plugin's answer that cannot be read, the message of the parser would quote the start: a token.
  if (error instanceof SyntaxError || error instanceof TypeError)
    return unusable(`${what} answered something other than an ExecCredential`, 'run it by hand to see')
  const said = error instanceof Error ? oneLine(error.message) : ''
  return unusable(`${what} failed: ${said === '' ? 'it ended without a word' : said}`, 'run it by hand to see why')
}
