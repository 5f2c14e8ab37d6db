import { InferenceSession } from 'onnxruntime-node'

/** An Identity model of one float, 110 bytes: the smallest thing that makes a session. */
const identityModel =
  'CAgSE3Rvd2xpbmUtdGVzdC1tb2RlbHM6TwoQCgF4EgF5IghJZGVudGl0eRINaWRlbnRpdHktZnAzMloVCgF4EhAKDggBEgoKAxIBbgoDEgFtYhUKAXkSEAoOCAESCgoDEgFuCgMSAW1CBAoAEBE='

/**
 * Tiny numbers (denormals) make convolutions five times slower, which is a cheap attack. ONNX Runtime's switch works once
 * in a process and only for threads started after it, so it is set on the main thread before any worker exists.
 */
export async function flushDenormals(): Promise<void> {
  const bytes = Buffer.from(identityModel, 'base64')
  const session = await InferenceSession.create(bytes, {
    logSeverityLevel: 4,
    extra: { session: { set_denormal_as_zero: '1' } },
  })
  await session.release()
}
