import { TowlineError } from '../../base/errors.ts'

type Env = Readonly<Record<string, string | undefined>>

/** The proxy that leads to `server`: the kubeconfig's own, else what the environment says; undefined: none. */
export function chooseProxy(server: string, own: string | undefined, env: Env): string | undefined {
  const { protocol, hostname, port } = new URL(server)
  const read = (name: string): string | undefined => env[name.toLowerCase()] || env[name] || undefined
  const chosen =
    own ??
    (excludes(read('NO_PROXY'), hostname, port)
      ? undefined
      : read(protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'))
  if (chosen === undefined) return undefined
  const proxy = chosen.includes('://') ? chosen : `http://${chosen}`
  if (/^https?:/.test(proxy) && URL.canParse(proxy)) return proxy
  throw new TowlineError(
    'TL_KUBECONFIG_UNUSABLE',
    `the proxy \`${hidePassword(chosen)}\` is of a kind that is not supported yet`,
    {
      hint: 'only http:// and https:// proxies are; a tunnel or a port forwarded by ssh also leads there',
    },
  )
}

/** `localhost,.example.com,10.0.0.1:6443` or `*`, as other tools read it. */
function excludes(list: string | undefined, host: string, port: string): boolean {
  return (list ?? '')
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true
      const [, name = '', only] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? []
      if (only !== undefined && only !== port) return false
      const bare = name.replace(/^\*?\./, '')
      return host === bare || host.endsWith(`.${bare}`)
    })
}

function hidePassword(proxy: string): string {
  return proxy.replace(/\/\/[^@/]*@/, '//…@')
}
