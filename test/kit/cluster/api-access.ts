import { readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { join } from 'node:path'

/** Writes a kubeconfig for what `keys.sh` signed under this name. Keys and certificates are inside, so that the file can be copied. */
export function writeKubeconfig(file: string, url: string, keys: string, name: string): void {
  const read = (key: string): string => readFileSync(join(keys, key)).toString('base64')
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: url, 'certificate-authority-data': read('ca.crt') } }],
    users: [
      {
        name,
        user: { 'client-certificate-data': read(`${name}.crt`), 'client-key-data': read(`${name}.key`) },
      },
    ],
    contexts: [{ name: 'test', context: { cluster: 'test', user: name } }],
    'current-context': 'test',
  }
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 })
}

/** True when this address answers 200 to the administrator. */
export async function answersAdmin(url: string, keys: string): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  const read = (file: string): Buffer => readFileSync(join(keys, file))
  const access = { ca: read('ca.crt'), cert: read('admin.crt'), key: read('admin.key') }
  const request = get(url, { ...access, agent: false, timeout: 2000 }, (answer) => {
    answer.resume()
    answer.on('end', () => resolve(answer.statusCode === 200))
    answer.on('error', reject)
  })
  request.on('timeout', () => request.destroy(new Error(`${url} does not answer`)))
  request.on('error', reject)
  return await promise
}
