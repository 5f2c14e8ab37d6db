/**
 * The health check of a container: asks the replica beside it whether it is ready, and says so by its exit code, as Docker
 * wants it. The only argument is the path of that replica's `ReplicaConfig`. Kubernetes asks over HTTP by itself.
 */
import { readFileSync } from 'node:fs'
import { get } from 'node:http'
import type { ReplicaConfig } from './replica-config.ts'

/** Shorter than what the image grants the whole check, so that the reason is in its output. */
const timeoutMs = 2000

const { port } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Pick<ReplicaConfig, 'port'>
const request = get({ host: '127.0.0.1', port, path: '/v2/health/ready', agent: false, timeout: timeoutMs })
request.on('response', (response) => {
  response.resume()
  finish(response.statusCode === 200, `the replica answered ${response.statusCode}`)
})
request.on('timeout', () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)))
request.on('error', ({ message }) => finish(false, message))

function finish(ready: boolean, reason: string): void {
  process.stdout.write(ready ? 'ready\n' : `not ready: ${reason}\n`)
  process.exitCode = ready ? 0 : 1
}
