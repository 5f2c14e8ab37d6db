/** An Identity model of one float, 110 bytes: the smallest thing that makes a session. */
const identityModel =
  'CAgSE3Rvd2xpbmUtdGVzdC1tb2RlbHM6TwoQCgF4EgF5IghJZGVudGl0eRINaWRlbnRpdHktZnAzMloVCgF4EhAKDggBEgoKAxIBbgoDEgFtYhUKAXkSEAoOCAESCgoDEgFuCgMSAW1CBAoAEBE='

/**
 * What holds for the whole process, and must be settled on the main thread before any model thread exists.
 *
 * ONNX Runtime reports its use to its maker over the network, and keeps a database for it in the home folder, unless told
 * not to before it is loaded: seen with 1.30.0. Only the main thread's variables reach native code.
 *
 * Tiny numbers (denormals) make convolutions five times slower, which is a cheap attack; the switch works once in a process
 * and only for threads started after it.
 */
export async function prepareOnnxProcess(): Promise<void> {
  process.env['ORT_DISABLE_TELEMETRY'] = '1'
  const { InferenceSession } = await import('onnxruntime-node')
  const session = await InferenceSession.create(Buffer.from(identityModel, 'base64'), {
    logSeverityLevel: 4,
    extra: { session: { set_denormal_as_zero: '1' } },
  })
  await session.release()
}
