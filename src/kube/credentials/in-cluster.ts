import { existsSync, readFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { hasErrno } from '../../base/errors.ts'
import type { AccessWishes, ClusterAccess } from './access.ts'
import { checkHeaders } from './headers.ts'
import { openTokenFile } from './token-file.ts'
import { unusable } from './unusable.ts'

const defaultFolder = '/var/run/secrets/kubernetes.io/serviceaccount'

/** The account of the pod that this runs in; undefined outside of one. TL_KUBECONFIG_UNUSABLE where it is there only in part. */
export function readInCluster(
  { namespace, context, env = process.env, accountFolder = defaultFolder }: AccessWishes,
  clock: Clock,
): ClusterAccess | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env
  const tokenFile = join(accountFolder, 'token')
  if (host === undefined || port === undefined || !existsSync(tokenFile)) return undefined
  if (context !== undefined && context !== 'in-cluster')
    throw unusable(
      `there is no context \`${context}\`: inside a pod there is its own account, \`in-cluster\``,
      'name a file with the variable KUBECONFIG, or leave the context out',
    )
  const ca = readText(join(accountFolder, 'ca.crt'))
  if (ca === undefined)
    throw unusable(`${join(accountFolder, 'ca.crt')} is not there`, 'mount the whole token of the service account')
  const login = openTokenFile(tokenFile, clock)
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    context: 'in-cluster',
    namespace: namespace ?? readText(join(accountFolder, 'namespace')) ?? 'default',
    tls: { ca, rejectUnauthorized: true },
    authorize: async (refused) => checkHeaders(await login(refused), tokenFile),
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined
    throw error
  }
}
