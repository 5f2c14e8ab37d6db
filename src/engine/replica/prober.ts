import { requestJson } from '../../net/http-client.ts'

const timeoutMs = 1000

export interface ProbeAnswer {
  readonly live: boolean
  readonly ready: boolean
}

/** Asks both questions at once. No answer is a no. */
export async function probeReplica(host: string, port: number): Promise<ProbeAnswer> {
  const [live, ready] = await Promise.all([
    isFine(host, port, '/v2/health/live'),
    isFine(host, port, '/v2/health/ready'),
  ])
  return { live, ready }
}

async function isFine(host: string, port: number, path: string): Promise<boolean> {
  try {
    const { status } = await requestJson({ url: `http://${host}:${port}`, method: 'GET', path, timeoutMs })
    return status === 200
  } catch {
    // Refused, reset, late or garbled: all the same to a probe.
    return false
  }
}
