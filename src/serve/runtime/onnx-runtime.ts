import { Worker } from 'node:worker_threads'
import { beside } from '../../base/process/beside.ts'
import { BoundedQueue } from '../../base/bounded-queue.ts'
import { TowlineError } from '../../base/errors.ts'
import { prepareOnnxProcess } from './onnx-process.ts'
import type { FromOnnxThread, OnnxThreadData, ToOnnxThread } from './onnx-thread.ts'
import { buffersOf } from './onnx-types.ts'
import type { RunRequest, RunResult, Runtime } from './runtime.ts'

export interface OnnxOptions {
  readonly modelFile: string
  readonly workers: number
  readonly threadsPerWorker: number
  readonly timeoutMs: number
  readonly maxQueuedRows: number
  /** A worker thread ended by itself: the process cannot go on. */
  readonly onWorkerLost: (error: Error) => void
}

interface Job extends RunRequest {
  readonly id: number
  readonly queuedAtMs: number
  readonly settle: PromiseWithResolvers<RunResult>
  readonly deadline: NodeJS.Timeout
  startedAtMs: number
}

interface Lane {
  readonly worker: Worker
  readonly jobs: Map<number, Job>
}

/** One job runs and one waits inside each worker, so that it never idles between two (4 % more throughput, measured). */
const jobsPerWorker = 2
/** A run this much longer than any caller waits is taken for hung. */
const hungFactor = 3
const warmupRuns = 5
const badInput =
  /out of (?:data )?(?:bounds|range)|invalid (?:dimension|argument|input)|indices? |broadcast|mismatch|must be within/i

/** Opens one session in each of `workers` threads. Throws TL_MODEL_UNLOADABLE with the runtime's reason. */
export async function openOnnxRuntime(options: OnnxOptions): Promise<Runtime> {
  await prepareOnnxProcess()
  const opened = await Promise.allSettled(Array.from({ length: options.workers }, () => openLane(options)))
  const failed = opened.find((result) => result.status === 'rejected')
  const ready = opened.filter((result) => result.status === 'fulfilled').map(({ value }) => value)
  const [first] = ready
  if (failed !== undefined || first === undefined) {
    await Promise.all(ready.map(({ lane }) => closeLane(lane)))
    throw failed?.reason
  }
  return createPool(
    options,
    ready.map(({ lane }) => lane),
    first.model,
  )
}

async function openLane({ modelFile, threadsPerWorker }: OnnxOptions) {
  const workerData: OnnxThreadData = { modelFile, threads: threadsPerWorker, warmupRuns }
  const worker = new Worker(beside(import.meta.url, 'onnx-thread'), { workerData })
  const { promise, resolve, reject } = Promise.withResolvers<Extract<FromOnnxThread, { kind: 'Ready' }>>()
  worker.once('message', (message: FromOnnxThread) => {
    if (message.kind === 'Ready') resolve(message)
    else
      reject(
        new TowlineError(
          'TL_MODEL_UNLOADABLE',
          `${modelFile}: ${message.kind === 'Unloadable' ? message.reason : message.kind}`,
          { hint: hintFor(message) },
        ),
      )
  })
  worker.once('error', reject)
  const model = await promise
  worker.off('error', reject)
  return { lane: { worker, jobs: new Map<number, Job>() }, model }
}

function hintFor(message: FromOnnxThread): string {
  const reason = message.kind === 'Unloadable' ? message.reason : ''
  if (/opset|IR version|ir_version/i.test(reason))
    return 'export the model again for an older opset (21 or below) and IR version'
  if (/external/i.test(reason)) return 'put the external data files beside the model'
  if (/not a tensor/.test(reason)) return 'export without ZipMap (skl2onnx: options={"zipmap": False})'
  if (/not a registered|No Op|is not implemented/i.test(reason))
    return 'the model uses an operator that ONNX Runtime does not have'
  return 'the file is damaged or is no ONNX model; export it again and compare its checksum'
}

function createPool(
  options: OnnxOptions,
  lanes: readonly Lane[],
  model: Extract<FromOnnxThread, { kind: 'Ready' }>,
): Runtime {
  const waiting = new BoundedQueue<Job>(options.maxQueuedRows)
  let nextId = 0
  let closing = false
  const idle = Promise.withResolvers<void>()

  const post = (lane: Lane, job: Job): void => {
    lane.jobs.set(job.id, job)
    const message: ToOnnxThread = { kind: 'Run', id: job.id, inputs: job.inputs, outputs: job.outputs }
    lane.worker.postMessage(message, buffersOf(job.inputs))
  }

  const dispatch = (): void => {
    for (;;) {
      const lane = lanes.reduce((best, other) => (other.jobs.size < best.jobs.size ? other : best))
      if (lane.jobs.size >= jobsPerWorker) return
      const job = waiting.shift()
      if (job === undefined) break
      if (job.signal?.aborted === true) refuse(job, new TowlineError('TL_CANCELLED', 'the caller left'))
      else post(lane, job)
    }
    if (closing && lanes.every(({ jobs }) => jobs.size === 0)) idle.resolve()
  }

  const refuse = (job: Job, error: Error): void => {
    clearTimeout(job.deadline)
    job.settle.reject(error)
  }

  for (const lane of lanes) {
    lane.worker.on('message', (message: FromOnnxThread) => {
      const job = 'id' in message ? lane.jobs.get(message.id) : undefined
      if (job === undefined) return
      if (message.kind === 'Started') {
        job.startedAtMs = performance.now()
        return
      }
      lane.jobs.delete(job.id)
      dispatch()
      if (message.kind === 'Done') {
        clearTimeout(job.deadline)
        const { outputs, inferenceMs, buffers } = message
        job.settle.resolve({ outputs, inferenceMs, buffers, queueMs: Math.max(0, job.startedAtMs - job.queuedAtMs) })
      } else if (message.kind === 'Failed') {
        refuse(
          job,
          new TowlineError(badInput.test(message.reason) ? 'TL_REQUEST_INVALID' : 'TL_MODEL_FAILED', message.reason),
        )
      }
    })
    lane.worker.on('error', options.onWorkerLost)
    lane.worker.on('exit', (code) => {
      if (!closing) options.onWorkerLost(new Error(`a model thread ended by itself (exit code ${code})`))
    })
  }

  return {
    signature: { platform: 'onnx_onnxruntime', inputs: model.inputs, outputs: model.outputs },
    warmupMs: model.warmupMs,
    get queuedRows() {
      return waiting.weight
    },
    isLive() {
      const limitMs = performance.now() - Math.max(30_000, options.timeoutMs * hungFactor)
      return lanes.every(({ jobs }) =>
        [...jobs.values()].every(({ startedAtMs }) => startedAtMs === 0 || startedAtMs > limitMs),
      )
    },
    async run(request) {
      if (closing) throw new TowlineError('TL_NOT_READY', 'this replica is stopping')
      const settle = Promise.withResolvers<RunResult>()
      const expire = (): void => {
        waiting.remove((other) => other === job)
        settle.reject(
          new TowlineError('TL_MODEL_TIMEOUT', `no answer within ${options.timeoutMs} ms`, {
            hint: 'raise serving.timeout, or add replicas',
          }),
        )
      }
      const deadline = setTimeout(expire, options.timeoutMs)
      const job: Job = { ...request, id: nextId++, queuedAtMs: performance.now(), settle, deadline, startedAtMs: 0 }
      if (!waiting.push(job, request.rows)) {
        clearTimeout(deadline)
        throw new TowlineError(
          'TL_OVERLOADED',
          `${waiting.weight} rows are waiting, the limit is ${options.maxQueuedRows}`,
          { hint: 'try again, or add replicas' },
        )
      }
      dispatch()
      return settle.promise
    },
    async close() {
      closing = true
      dispatch()
      await idle.promise
      await Promise.all(lanes.map(closeLane))
    },
  }
}

async function closeLane({ worker }: Lane): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  worker.once('exit', () => resolve())
  const message: ToOnnxThread = { kind: 'Close' }
  worker.postMessage(message)
  await promise
}
