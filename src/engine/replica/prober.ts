import { requestJson } from '../../net/http-client.ts'

const timeoutMs = 1000

export interface ProbeAnswer {
  readonly live: boolean
  readonly ready: boolean
}

/** A ready replica is alive: only one that is not ready is asked whether it lives. No answer is a no to both. */
export async function probeReplica(host: string, port: number): Promise<ProbeAnswer> {
  const ready = await ask(host, port, '/v2/health/ready')
  if (ready !== 'No') return { live: ready === 'Yes', ready: ready === 'Yes' }
  return { live: (await ask(host, port, '/v2/health/live')) === 'Yes', ready: false }
}

async function ask(host: string, port: number, path: string): Promise<'Yes' | 'No' | 'Silent'> {
  try {
    const { status } = await requestJson({ url: `http://${host}:${port}`, method: 'GET', path, timeoutMs })
    return status === 200 ? 'Yes' : 'No'
  } catch {
    // Refused, reset, late or garbled: all the same to a probe.
    return 'Silent'
  }
}
