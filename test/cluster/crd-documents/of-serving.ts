import type { Refusal } from './refusal.ts'

export const ofServing: readonly Refusal[] = [
  {
    name: 'two runtimes',
    spec: { runtime: { onnx: {}, triton: {} } },
    field: 'spec.runtime',
    words: /runtime names \["onnx", "triton"\]; give exactly one/,
  },
  { name: 'no runtime', spec: { runtime: {} }, field: 'spec.runtime' },
  {
    name: 'a drain shorter than a request',
    spec: { serving: { timeout: '40s' }, lifecycle: { drainTimeout: '20s' } },
    field: 'spec.lifecycle.drainTimeout',
  },
  {
    name: 'a request longer than the drain of the table',
    spec: { serving: { timeout: '40s' } },
    field: 'spec.lifecycle.drainTimeout',
  },
  { name: 'no time for an answer', spec: { serving: { timeout: '0s' } }, field: 'spec.serving.timeout' },
  { name: 'no time to start', spec: { lifecycle: { startupTimeout: '0ms' } }, field: 'spec.lifecycle.startupTimeout' },
  { name: 'a drain of days', spec: { lifecycle: { drainTimeout: '25h' } }, field: 'spec.lifecycle.drainTimeout' },
  { name: 'a start of days', spec: { lifecycle: { startupTimeout: '25h' } }, field: 'spec.lifecycle.startupTimeout' },
  {
    name: 'an answer of days',
    spec: { serving: { timeout: '25h' }, lifecycle: { drainTimeout: '25h' } },
    field: 'spec.serving.timeout',
  },
  {
    name: 'batches of no limit',
    spec: { serving: { batching: { mode: 'Fixed', maxRows: 4 } } },
    field: 'spec.serving.batching.mode',
  },
  {
    name: 'limits without batches',
    spec: { serving: { batching: { mode: 'Disabled', maxRows: 4, maxDelay: '1ms' } } },
    field: 'spec.serving.batching.mode',
  },
  { name: 'a limit below the request', spec: { resources: { cpu: 2, cpuLimit: 1 } }, field: 'spec.resources.cpuLimit' },
  {
    name: 'a limit below the request of the table',
    spec: { resources: { cpuLimit: '500m' } },
    field: 'spec.resources.cpuLimit',
    words: /cpuLimit 500m is below the cpu that is reserved, 1000m/,
  },
  {
    name: 'shared devices',
    spec: { gpu: { count: 2, sharing: 'Shared' } },
    field: 'spec.gpu.sharing',
  },
  { name: 'a shared slice', spec: { gpu: { mig: '1g.10gb', sharing: 'Shared' } }, field: 'spec.gpu.sharing' },
  {
    name: 'a slice of another plugin',
    spec: { gpu: { mig: '1g.10gb', resourceName: 'a.b/c' } },
    field: 'spec.gpu.resourceName',
  },
]
