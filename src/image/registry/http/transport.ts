import type { Clock } from '../../../base/clock.ts'
import { oneLine } from '../../../base/display.ts'
import { TowlineError } from '../../../base/errors.ts'
import { type Answer, ConnectionFailure, type Exchange, type HttpRequest } from './exchange.ts'
import { isLoopbackHost } from './host-kind.ts'
import { isTemporaryFailure, isTemporaryStatus, maxTries, retryDelayMs } from './retry.ts'

export interface TransportOptions {
  readonly exchange: Exchange
  /** Of the registry: `https://registry.example.com`. */
  readonly origin: string
  /** Unencrypted connections also to other machines. */
  readonly plainHttp: boolean
  readonly userAgent: string
  readonly clock: Clock
  readonly random: () => number
  /** The text of a `Warning: 299` of the registry, each text once. */
  readonly onWarning: (text: string) => void
}

export interface SendOptions {
  readonly authorization?: string
  readonly tries?: number
  /** What is asked, not only who asks, must not be seen by another host. */
  readonly isSecret?: boolean
}

export interface Transport {
  /**
   * Sends a request, follows redirects, and tries again what failed for a moment, `tries` times in all (4). `authorization`
   * goes to the host of `request.url` only; with `isSecret` the whole request does: TL_REGISTRY_FAILED where it is led on. Any
   * status is an answer. TL_REGISTRY_UNREACHABLE, TL_REGISTRY_FAILED.
   */
  send(request: HttpRequest, more?: SendOptions): Promise<Answer>
  /** Waits before another try; `failures` from 1, `answer` may say for how long. */
  pause(failures: number, answer?: Answer, signal?: AbortSignal): Promise<void>
}

const maxRedirects = 5
const redirectsAnyMethod: readonly number[] = [307, 308]
const redirectsOfReads: readonly number[] = [301, 302, 303, 307, 308]

export function openTransport(options: TransportOptions): Transport {
  const { exchange, clock, random } = options
  const warned = new Set<string>()
  let wasReached = false

  const pause = async (failures: number, answer?: Answer, signal?: AbortSignal): Promise<void> => {
    await clock.sleep(retryDelayMs(failures, answer, random(), clock.nowMs()), signal)
  }

  const follow = async (request: HttpRequest, { authorization, isSecret }: SendOptions): Promise<Answer> => {
    let { url } = request
    let isHome = true
    for (let redirects = 0; ; redirects++) {
      checkScheme(url, options)
      const headers = {
        ...request.headers,
        'user-agent': options.userAgent,
        // Another host, and whatever it leads to, must not see it.
        ...(authorization === undefined || !isHome ? {} : { authorization }),
      }
      const answer = await exchange.send({ ...request, url, headers })
      wasReached = true
      if (url.origin === options.origin) for (const text of readWarnings(answer)) warn(text)
      const target = redirectOf(answer, request.method)
      if (target === undefined) return answer
      if (redirects === maxRedirects)
        throw new TowlineError(
          'TL_REGISTRY_FAILED',
          `${url.host} leads from place to place more than ${maxRedirects} times`,
        )
      isHome &&= target.origin === url.origin
      if (isSecret === true && !isHome)
        throw new TowlineError('TL_REGISTRY_FAILED', `${url.host} leads a request with a login to ${target.host}`, {
          hint: 'nothing was sent there; the registry has to name the token server itself',
        })
      url = target
    }
  }

  const warn = (text: string): void => {
    if (warned.has(text)) return
    warned.add(text)
    options.onWarning(text)
  }

  return {
    pause,
    send: async (request, more = {}) => {
      const { tries = maxTries } = more
      for (let failures = 1; ; failures++) {
        let answer: Answer | undefined
        try {
          answer = await follow(request, more)
          if (!isTemporaryStatus(answer.status) || failures >= tries) return answer
        } catch (error) {
          if (!(error instanceof ConnectionFailure)) throw error
          if (failures >= tries || !isTemporaryFailure(error, wasReached)) throw unreachable(error, request, failures)
        }
        await pause(failures, answer, request.signal)
      }
    },
  }
}

/** The connection failed, as far as it was tried: the work may be done all the same, or in part. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof TowlineError && error.code === 'TL_REGISTRY_UNREACHABLE'
}

export function unreachable(error: ConnectionFailure, { url }: { readonly url: URL }, tries: number): TowlineError {
  const code = error.code === '' || error.message.includes(error.code) ? '' : ` (${error.code})`
  const often = tries === 1 ? '' : ` after ${tries} tries`
  return new TowlineError('TL_REGISTRY_UNREACHABLE', `${url.host}: ${oneLine(error.message)}${code}${often}`, {
    cause: error,
    hint: adviceOn(error.code),
  })
}

function adviceOn(code: string): string {
  if (/^ERR_SSL_|EPROTO/.test(code))
    return 'it may speak plain HTTP; that has to be asked for, and should be only inside a network of your own'
  if (/CERT|SELF_SIGNED|UNABLE_TO_/.test(code))
    return 'name the file of its certificate authority in NODE_EXTRA_CA_CERTS'
  return 'check its name and the network; proxies are taken from HTTPS_PROXY, HTTP_PROXY and NO_PROXY'
}

function checkScheme({ protocol, host, hostname }: URL, { origin, plainHttp }: TransportOptions): void {
  if (protocol === 'https:') return
  if (protocol === 'http:' && origin.startsWith('http:') && (plainHttp || isLoopbackHost(hostname))) return
  throw new TowlineError(
    'TL_REGISTRY_FAILED',
    `${new URL(origin).host} leads to ${protocol}//${host}, and what goes there is not encrypted`,
    { hint: 'a registry behind a proxy must be told by which scheme it is reached, e.g. by X-Forwarded-Proto' },
  )
}

function redirectOf({ status, headers, url }: Answer, method: HttpRequest['method']): URL | undefined {
  const isRead = method === 'GET' || method === 'HEAD'
  if (!(isRead ? redirectsOfReads : redirectsAnyMethod).includes(status)) return undefined
  const location = headers['location']
  return typeof location === 'string' && URL.canParse(location, url.href) ? new URL(location, url) : undefined
}

function readWarnings({ headers }: Answer): string[] {
  return [headers['warning'] ?? []]
    .flat()
    .flatMap((value) =>
      [...value.matchAll(/\b299 [^\s"]+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) =>
        oneLine(text.replaceAll(/\\(.)/g, '$1')),
      ),
    )
}
