/** The bare limit: the model in a loop, nothing around it. Told by its parent how long to run, answers with runs a second. */
import { InferenceSession, Tensor } from 'onnxruntime-node'

const [modelFile = '', shapeText = ''] = process.argv.slice(2)
const shape = shapeText.split(',').map(Number)
const session = await InferenceSession.create(modelFile, {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  logSeverityLevel: 4,
  extra: { session: { set_denormal_as_zero: '1' } },
})
const input = session.inputNames[0] ?? ''
const data = Float32Array.from(
  { length: shape.reduce((product, size) => product * size, 1) },
  () => Math.random() * 2 - 1,
)
const run = async (): Promise<unknown> => session.run({ [input]: new Tensor('float32', data, shape) })
for (let warmup = 0; warmup < 5; warmup++) await run()

process.on('message', async (durationMs: number) => {
  const startMs = performance.now()
  let runs = 0
  while (performance.now() - startMs < durationMs) {
    await run()
    runs++
  }
  process.send?.((runs * 1000) / (performance.now() - startMs))
})
process.on('disconnect', () => process.exit(0))
process.send?.('Ready')
