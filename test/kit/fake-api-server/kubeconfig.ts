import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Scope } from '../scope.ts'

/** A kubeconfig that leads to the server, in a folder that goes with the test. JSON, which is YAML. Answers its path. */
export function writeKubeconfig(scope: Pick<Scope, 'after'>, url: string, token: string | undefined): string {
  const folder = mkdtempSync(join(tmpdir(), 'towline-fake-api-'))
  scope.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'kubeconfig')
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'fake', cluster: { server: url } }],
    users: [{ name: 'tester', user: token === undefined ? {} : { token } }],
    contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'tester', namespace: 'default' } }],
    'current-context': 'fake',
  }
  writeFileSync(path, JSON.stringify(config, undefined, 2))
  return path
}
