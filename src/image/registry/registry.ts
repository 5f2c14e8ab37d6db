import type { Clock } from '../../base/clock.ts'
import { TowlineError } from '../../base/errors.ts'
import { readVersion } from '../../base/process/version.ts'
import type { Credentials } from './credentials.ts'
import { type Authorizer, createAuthorizer } from './http/auth.ts'
import { type Answer, type ExchangeOptions, type HttpRequest, openExchange } from './http/exchange.ts'
import { isLoopbackHost } from './http/host-kind.ts'
import { failureOf } from './http/registry-error.ts'
import { openTransport } from './http/transport.ts'
import { type Reference, dockerHub, formatReference } from './reference.ts'

export interface RegistryOptions {
  /** As in a `Reference`: `docker.io`, `localhost:5000`. */
  readonly host: string
  /** The login for one repository, asked for once each: see `findCredentials`. */
  readonly credentials: (host: string, repository: string) => Promise<Credentials | undefined>
  /** True: unencrypted also to other machines. Undefined: unencrypted on this machine only. False: never. */
  readonly plainHttp?: boolean
  readonly clock: Clock
  /** Ends whatever is going on, with its reason. */
  readonly signal?: AbortSignal
  /** What a registry says with `Warning: 299`, each text once, as one line. */
  readonly onWarning?: (text: string) => void
  /** Where HTTP_PROXY, HTTPS_PROXY and NO_PROXY stand. */
  readonly env?: ExchangeOptions['env']
  /** Spreads the waits, in [0, 1). */
  readonly random?: () => number
  /** Instead of 10 s to connect and 60 s without an answer or a part of it. */
  readonly limits?: Omit<ExchangeOptions, 'env'>
}

export interface RegistryRequest extends Omit<HttpRequest, 'url' | 'headers'> {
  readonly repository: string
  /** Below `/v2/<repository>/`, with its query, or a place that the registry named. */
  readonly at: string | URL
  readonly headers?: Readonly<Record<string, string>>
  readonly access: 'Pull' | 'Push'
  /** A repository of the same registry that is read from besides. */
  readonly alsoPull?: string
  /** How often it is sent at most; 4 when not given. */
  readonly tries?: number
}

/** One registry, logged in as far as it asks for it. */
export interface Registry {
  readonly host: string
  readonly signal: AbortSignal | undefined
  /** Any status is an answer. TL_REGISTRY_UNREACHABLE, TL_REGISTRY_FAILED, TL_REGISTRY_REFUSED (no token). */
  send(request: RegistryRequest): Promise<Answer>
  /** Waits before another try; `failures` from 1, `answer` may say for how long. */
  pause(failures: number, answer?: Answer, signal?: AbortSignal): Promise<void>
  /** The failure that an answer means. `doing` as in "the upload of sha256:…". */
  failure(answer: Answer, doing: string): TowlineError
  close(): Promise<void>
}

/** Opens nothing yet: the first request connects. Whoever opens it closes it. */
export function openRegistry(options: RegistryOptions): Registry {
  const { host, clock, signal } = options
  const origin = originOf(options)
  const exchange = openExchange({ env: options.env ?? process.env, ...options.limits })
  const transport = openTransport({
    exchange,
    origin,
    plainHttp: options.plainHttp === true,
    userAgent: `towline/${readVersion()}`,
    clock,
    random: options.random ?? Math.random,
    onWarning: options.onWarning ?? (() => undefined),
  })
  const authorizers = new Map<string, Promise<Authorizer>>()

  const authorizerOf = (repository: string): Promise<Authorizer> => {
    const known = authorizers.get(repository)
    if (known !== undefined) return known
    const made = options
      .credentials(host, repository)
      .then((credentials) => createAuthorizer({ host, origin, transport, clock, credentials }))
    authorizers.set(repository, made)
    return made
  }

  const combine = (one?: AbortSignal): AbortSignal | undefined =>
    one === undefined || signal === undefined || one === signal ? (one ?? signal) : AbortSignal.any([one, signal])

  return {
    host,
    signal,
    failure: (answer, doing) => failureOf(answer, host, doing),
    close: async () => await exchange.close(),
    pause: async (failures, answer, one) => await transport.pause(failures, answer, combine(one)),
    send: async ({ repository, at, access, alsoPull, tries, headers = {}, ...rest }) => {
      const url = at instanceof URL ? at : new URL(`/v2/${repository}/${at}`, origin)
      const scopes = [
        `repository:${repository}:${access === 'Push' ? 'pull,push' : 'pull'}`,
        ...(alsoPull === undefined ? [] : [`repository:${alsoPull}:pull`]),
      ]
      const combined = combine(rest.signal)
      const request: HttpRequest = { ...rest, url, headers, ...(combined === undefined ? {} : { signal: combined }) }
      const more = tries === undefined ? {} : { tries }
      // A place on another host gets no login, and its questions for one no answer.
      if (url.origin !== origin) return await transport.send(request, more)
      const authorizer = await authorizerOf(repository)
      for (let logins = 0; ; logins++) {
        const authorization = await authorizer.header(scopes, combined)
        const answer = await transport.send(request, authorization === undefined ? more : { ...more, authorization })
        if (answer.status !== 401 || answer.url.origin !== origin) return answer
        // The first gets the token, the second one with what was newly demanded; what is refused then stays refused.
        if (logins === 2 || !authorizer.learn(answer, scopes, authorization)) return answer
      }
    },
  }
}

/** TL_REFERENCE_INVALID when a reference is of another registry than the one that is open. */
export function checkHost(registry: Registry, reference: Reference): void {
  if (reference.registry === registry.host) return
  throw new TowlineError('TL_REFERENCE_INVALID', `${formatReference(reference)} is not at ${registry.host}`)
}

function originOf({ host, plainHttp }: RegistryOptions): string {
  const api = host === dockerHub ? 'registry-1.docker.io' : host
  const isPlain = plainHttp ?? isLoopbackHost(new URL(`http://${api}`).hostname)
  return new URL(`${isPlain ? 'http' : 'https'}://${api}`).origin
}
