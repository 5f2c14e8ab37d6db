import { BlockList, isIP } from 'node:net'
import { unusable } from './unusable.ts'

type Env = Readonly<Record<string, string | undefined>>

/**
 * The proxy that leads to `server`: the kubeconfig's own, else what the environment says, never for this machine itself; undefined:
 * none. TL_KUBECONFIG_UNUSABLE for a kind of proxy that is not supported; `at` says whose `own` is.
 */
export function chooseProxy(server: string, own: string | undefined, env: Env, at: string): string | undefined {
  const { protocol, hostname, port } = new URL(server)
  const isSecure = protocol === 'https:'
  const read = (name: string): string => env[name.toLowerCase()] || env[name] || ''
  const name = isSecure ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const host = hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  const isLeftOut = isLoopback(host) || excludes(read('NO_PROXY'), host, port || (isSecure ? '443' : '80'))
  const chosen = own ?? (isLeftOut ? '' : read(name))
  if (chosen === '') return undefined
  const proxy = chosen.includes('://') ? chosen : `http://${chosen}`
  if (/^https?:/.test(proxy) && URL.canParse(proxy)) return proxy
  const whose = own === undefined ? `the variable ${name}` : at
  throw unusable(
    `${whose} has the proxy \`${hidePassword(chosen)}\`, which is of a kind that is not supported yet`,
    'only http:// and https:// proxies are; a port forwarded by ssh also leads there',
  )
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** `localhost,.example.com,10.0.0.1:6443,10.0.0.0/8` or `*`, as other tools read it. */
function excludes(list: string, host: string, port: string): boolean {
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => entry === '*' || isInRange(entry, host) || isHost(entry, host, port))
}

function isHost(entry: string, host: string, port: string): boolean {
  const [, name = '', only] = /^(.*?)(?::(\d+))?$/.exec(isIP(entry) === 6 ? `[${entry}]` : entry) ?? []
  if (only !== undefined && only !== port) return false
  const bare = name.replace(/^\[(.*)\]$/, '$1').replace(/^\*?\./, '')
  return host === bare || (isIP(host) === 0 && host.endsWith(`.${bare}`))
}

function isInRange(entry: string, host: string): boolean {
  const [network = '', prefix = ''] = entry.split('/')
  const version = isIP(network)
  if (version === 0 || version !== isIP(host) || !/^\d+$/.test(prefix)) return false
  if (Number(prefix) > (version === 4 ? 32 : 128)) return false
  const family = version === 4 ? 'ipv4' : 'ipv6'
  const range = new BlockList()
  range.addSubnet(network, Number(prefix), family)
  return range.check(host, family)
}

export function hidePassword(proxy: string): string {
  return proxy.replace(/^([a-z0-9+.-]+:\/\/)?[^@/]*@/i, '$1…@')
}
