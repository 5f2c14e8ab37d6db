import type { KubeConfig } from '@kubernetes/client-node'
import type { Clock } from '../../base/clock.ts'
import { withDeadline } from '../../base/deadline.ts'
import { oneLine } from '../../base/display.ts'
import { waitUnlessAborted } from '../waiting.ts'
import type { Authority, Login } from './access.ts'
import { type PluginAnswer, runExecPlugin } from './exec-plugin.ts'
import { type Entry, isObject } from './kubeconfig-files.ts'
import { openSharedLogin } from './shared-login.ts'
import { readImpersonation } from './static-login.ts'
import { unusable } from './unusable.ts'

interface PluginUser {
  readonly context: Entry
  readonly cluster: Entry
  readonly user: Entry
}

const providerTimeoutMs = 120_000
const knownProviders: readonly unknown[] = ['oidc', 'gcp', 'azure']

/**
 * What others say: a command (`exec`), run by ourselves, or a provider such as OpenID Connect. Those are asked by the official library,
 * which is loaded only here: it takes half a second and 70 MiB. TL_KUBECONFIG_UNUSABLE names who was asked. `signal` ends a login under way.
 */
export function openPluginLogin(entries: PluginUser, clock: Clock, signal?: AbortSignal): Login {
  const { user } = entries
  const impersonation = readImpersonation(user)
  const ask = user.fields['exec'] === undefined ? openProvider(entries, signal) : openExec(entries, clock, signal)
  return openSharedLogin(async (isRefused) => {
    const { headers, certificate } = await ask(isRefused)
    return { headers: { ...headers, ...impersonation }, ...(certificate === undefined ? {} : { certificate }) }
  })
}

type Ask = (isRefused: boolean) => Promise<Authority>

function openExec({ user, cluster }: PluginUser, clock: Clock, signal: AbortSignal | undefined): Ask {
  let last: PluginAnswer | undefined
  return async (isRefused) => {
    if (last === undefined || isRefused || (last.endsAtMs ?? Infinity) <= clock.nowMs())
      last = await runExecPlugin(user, cluster, { signal })
    return last.authority
  }
}

function openProvider(entries: PluginUser, signal: AbortSignal | undefined): Ask {
  const { user } = entries
  const provider = user.fields['auth-provider']
  const name = isObject(provider) ? provider['name'] : undefined
  const what = `${user.file}: the user \`${user.name}\` signs in by the provider \`${String(name)}\`, which`
  if (!knownProviders.includes(name)) throw unusable(`${what} is not supported`, 'use an exec plugin')
  let config: KubeConfig | undefined
  return async (isRefused) => {
    // Only a new one forgets what the provider said before.
    if (config === undefined || isRefused) config = await loadConfig(entries)
    return await askLibrary(config, what, signal)
  }
}

async function loadConfig({ context, cluster, user }: PluginUser): Promise<KubeConfig> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  config.loadFromString(
    JSON.stringify({
      clusters: [{ name: cluster.name, cluster: { server: 'https://127.0.0.1', ...cluster.fields } }],
      contexts: [{ name: context.name, context: context.fields }],
      users: [{ name: user.name, user: user.fields }],
      'current-context': context.name,
    }),
  )
  return config
}

async function askLibrary(config: KubeConfig, what: string, parent: AbortSignal | undefined): Promise<Authority> {
  const options: Parameters<KubeConfig['applyToHTTPSOptions']>[0] = {}
  const late = { code: 'TL_KUBECONFIG_UNUSABLE', what: `a login: ${what} gave none` } as const
  await withDeadline(
    providerTimeoutMs,
    parent,
    async (signal) =>
      await waitUnlessAborted(config.applyToHTTPSOptions(options), signal).catch((error: unknown) => {
        throw signal.aborted ? error : explain(error, what)
      }),
    late,
  )
  const { cert, key } = options
  const headers = Object.entries(options.headers ?? {}).map(([name, value]) => [
    name.toLowerCase(),
    String(value).trim(),
  ])
  if (headers.length === 0 && !isPem(cert))
    throw unusable(`${what} answered without a token or a certificate`, 'sign in again')
  return {
    headers: Object.fromEntries(headers) as Record<string, string>,
    ...(isPem(cert) && isPem(key) ? { certificate: { cert: cert.toString(), key: key.toString() } } : {}),
  }
}

function isPem(value: unknown): value is string | Buffer {
  return typeof value === 'string' || Buffer.isBuffer(value)
}

function explain(error: unknown, what: string): Error {
  // Of an answer that cannot be read, the message of the parser would quote the start: a token.
  if (error instanceof SyntaxError || error instanceof TypeError)
    return unusable(`${what} answered something that is no login`, 'sign in again')
  const said = error instanceof Error ? oneLine(error.message) : ''
  return unusable(`${what} failed: ${said === '' ? 'it ended without a word' : said}`, 'sign in again')
}
