import { spawn } from 'node:child_process'
import { oneLine } from '../../base/display.ts'
import { hasErrno } from '../../base/errors.ts'
import type { Authority } from './access.ts'
import { checkHeaders } from './headers.ts'
import { type Entry, type Fields, isObject, readTextField } from './kubeconfig-files.ts'
import { unusable } from './unusable.ts'

/** A person may have to answer in a browser. */
const defaultTimeoutMs = 120_000
const maxAnswerBytes = 1 << 20
const versions: readonly unknown[] = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1']

export interface PluginLimits {
  /** Ends the command; the reason is what it fails with. */
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number
}

export interface PluginAnswer {
  readonly authority: Authority
  /** Milliseconds since 1970; absent: until a server does not take it. */
  readonly endsAtMs?: number
}

/**
 * Runs the command of a user's `exec` as kubectl does: what it says to a person goes to ours, its answer is an ExecCredential.
 * TL_KUBECONFIG_UNUSABLE names the command; what it answered is in no message, for it may hold a token.
 */
export async function runExecPlugin(
  user: Entry,
  cluster: Entry,
  { signal, timeoutMs = defaultTimeoutMs }: PluginLimits = {},
): Promise<PluginAnswer> {
  const at = `${user.file}: the user \`${user.name}\``
  const exec = user.fields['exec']
  if (!isObject(exec)) throw unusable(`${at}: \`exec\` is no mapping`, 'sign in again')
  const command = readTextField(exec, 'command', at)
  if (command === undefined) throw unusable(`${at} has a plugin without a command`, 'sign in again')
  const what = `${at} signs in by \`${command}\`, which`
  const { apiVersion = versions[0] } = exec
  if (!versions.includes(apiVersion))
    throw unusable(`${what} has the apiVersion \`${String(apiVersion)}\``, `it has to be ${versions.join(' or ')}`)
  const mode = exec['interactiveMode'] ?? 'IfAvailable'
  const interactive = mode !== 'Never' && process.stdin.isTTY
  if (mode === 'Always' && !interactive)
    throw unusable(`${what} wants a terminal (interactiveMode: Always)`, 'run it in one, or use a token')
  const args = Array.isArray(exec['args']) ? exec['args'].map(String) : []
  const env = {
    ...process.env,
    ...readEnv(exec),
    KUBERNETES_EXEC_INFO: JSON.stringify({ apiVersion, ...tellPlugin(exec, cluster, interactive) }),
  }
  return readCredential(await run(command, args, { env, interactive, timeoutMs, signal, what }), what)
}

interface PluginRun {
  readonly env: NodeJS.ProcessEnv
  readonly interactive: boolean
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
  /** In words: the plugin, for messages. */
  readonly what: string
}

async function run(
  command: string,
  args: readonly string[],
  { env, interactive, timeoutMs, signal, what }: PluginRun,
): Promise<string> {
  signal?.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const plugin = spawn(command, args, { env, stdio: [interactive ? 'inherit' : 'ignore', 'pipe', 'inherit'] })
  const stop = (why: unknown): void => {
    reject(why)
    plugin.kill('SIGKILL')
    // What the plugin has started itself may hold the other end for as long as it likes.
    plugin.stdout.destroy()
  }
  const onAbort = (): void => stop(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  // Not by an option of `spawn`: its timer goes on where the command is not there, and keeps us alive.
  const timer = setTimeout(
    () => stop(unusable(`${what} gave no answer within ${timeoutMs / 1000} s`, 'run it by hand to see why')),
    timeoutMs,
  )
  const parts: Buffer[] = []
  let bytes = 0
  plugin.stdout.on('data', (part: Buffer) => {
    bytes += part.length
    if (bytes <= maxAnswerBytes) parts.push(part)
    else stop(unusable(`${what} answered more than 1 MiB`, 'run it by hand to see'))
  })
  plugin.on('error', (error) => {
    if (hasErrno(error, 'ENOENT')) reject(unusable(`${what} is not there`, 'install it, or sign in in another way'))
    else if (hasErrno(error, 'EACCES')) reject(unusable(`${what} may not be run`, 'see who may run it'))
    else reject(unusable(`${what} cannot be run: ${oneLine(error.message)}`, 'run it by hand to see why'))
  })
  plugin.on('close', (code, killedBy) => {
    if (code === 0) resolve(Buffer.concat(parts).toString())
    else reject(unusable(`${what} failed: it ended with ${killedBy ?? `exit code ${code}`}`, 'what it said is above'))
  })
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}

function readEnv(exec: Fields): Record<string, string> {
  const list: readonly unknown[] = Array.isArray(exec['env']) ? exec['env'] : []
  return Object.fromEntries(
    list.filter(isObject).map(({ name, value }) => [String(name), typeof value === 'string' ? value : '']),
  )
}

/** How it is to answer, and with `provideClusterInfo` for which cluster. */
function tellPlugin(exec: Fields, { fields }: Entry, interactive: boolean): object {
  const { server, 'certificate-authority-data': ca, 'tls-server-name': servername, 'proxy-url': proxy } = fields
  const cluster = {
    server,
    'certificate-authority-data': ca,
    'tls-server-name': servername,
    'proxy-url': proxy,
    'insecure-skip-tls-verify': fields['insecure-skip-tls-verify'],
    config: readExtension(fields['extensions']),
  }
  return {
    kind: 'ExecCredential',
    spec: { interactive, ...(exec['provideClusterInfo'] === true ? { cluster } : {}) },
  }
}

function readExtension(extensions: unknown): unknown {
  if (!Array.isArray(extensions)) return undefined
  const found = (extensions as unknown[]).find(
    (entry): entry is Fields => isObject(entry) && entry['name'] === 'client.authentication.k8s.io/exec',
  )
  return found?.['extension']
}

function readCredential(answer: string, what: string): PluginAnswer {
  const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp: ends } = readStatus(answer, what)
  const isSigned = typeof cert === 'string' && typeof key === 'string'
  const hasToken = typeof token === 'string' && token.trim() !== ''
  if (!hasToken && !isSigned)
    throw unusable(`${what} answered without a token or a certificate`, 'run it by hand to see')
  if ((cert === undefined) !== (key === undefined))
    throw unusable(`${what} answered a certificate without its key, or a key alone`, 'run it by hand to see')
  const endsAtMs = typeof ends === 'string' ? Date.parse(ends) : Number.NaN
  const authority: Authority = {
    headers: hasToken ? { authorization: `Bearer ${token.trim()}` } : {},
    ...(isSigned ? { certificate: { cert, key } } : {}),
  }
  return {
    authority: checkHeaders(authority, what),
    ...(Number.isNaN(endsAtMs) ? {} : { endsAtMs }),
  }
}

function readStatus(answer: string, what: string): Fields {
  try {
    const credential: unknown = JSON.parse(answer)
    if (isObject(credential) && isObject(credential['status'])) return credential['status']
  } catch {
    // The parser's message would quote the start: a token.
  }
  throw unusable(`${what} answered something other than an ExecCredential`, 'run it by hand to see')
}
