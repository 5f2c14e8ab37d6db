import { renderDuration } from '../../base/duration.ts'
import { renderQuantity } from '../../base/quantity.ts'
import { defaults } from '../defaults.ts'
import type { Finding } from '../source/finding.ts'
import type { DocumentView } from './document-view.ts'

export function checkServing(view: DocumentView): Finding[] {
  return [
    ...checkRuntime(view),
    ...checkDrain(view),
    ...checkBatching(view),
    ...checkResources(view),
    ...checkGpu(view),
  ]
}

function checkRuntime(view: DocumentView): Finding[] {
  const kinds = view.keysAt('spec', 'runtime')
  if (!view.has('spec', 'runtime') || Array.isArray(view.at('spec', 'runtime')) || kinds.length === 1) return []
  const message =
    kinds.length === 0
      ? 'runtime names none; remove it or give one'
      : `runtime names ${kinds.join(' and ')}; give exactly one`
  return [{ code: 'TL_SPEC_RUNTIME', path: ['spec', 'runtime'], message }]
}

function checkDrain(view: DocumentView): Finding[] {
  const timeoutMs = view.durationMsAt('spec', 'serving', 'timeout') ?? defaults.timeoutMs
  const drainMs = view.durationMsAt('spec', 'lifecycle', 'drainTimeout') ?? defaults.drainTimeoutMs
  const findings: Finding[] = []
  if (drainMs < timeoutMs) {
    const named = view.has('spec', 'lifecycle', 'drainTimeout')
    const message = `drainTimeout ${renderDuration(drainMs)}${named ? '' : ' (default)'} is shorter than serving.timeout ${renderDuration(timeoutMs)}: requests would be cut off`
    const path = named ? ['spec', 'lifecycle', 'drainTimeout'] : ['spec', 'serving', 'timeout']
    findings.push({ code: 'TL_SPEC_DRAIN', path, message })
  }
  for (const path of [
    ['spec', 'serving', 'timeout'],
    ['spec', 'lifecycle', 'startupTimeout'],
  ]) {
    const ms = view.durationMsAt(...path)
    if (ms === 0)
      findings.push({
        code: 'TL_SPEC_LIMIT',
        path,
        message: `\`${path.join('.')}\` is 0; nothing can be done in no time`,
      })
    // Longer waits overflow a timer of 31 bits and would fire at once.
    if (ms !== undefined && ms > 86_400_000)
      findings.push({
        code: 'TL_SPEC_LIMIT',
        path,
        message: `\`${path.join('.')}\` is ${renderDuration(ms)}; the most is 24h`,
      })
  }
  const drainPath = ['spec', 'lifecycle', 'drainTimeout']
  if (drainMs > 86_400_000)
    findings.push({
      code: 'TL_SPEC_LIMIT',
      path: drainPath,
      message: `\`spec.lifecycle.drainTimeout\` is ${renderDuration(drainMs)}; the most is 24h`,
    })
  return findings
}

function checkBatching(view: DocumentView): Finding[] {
  const mode = view.textAt('spec', 'serving', 'batching', 'mode')
  if (mode === undefined) return []
  const limits = ['maxRows', 'maxDelay'].filter((limit) => view.has('spec', 'serving', 'batching', limit))
  const path = ['spec', 'serving', 'batching', 'mode']
  if (mode === 'Fixed' && limits.length < 2)
    return [{ code: 'TL_SPEC_BATCHING', path, message: 'batching mode Fixed needs both `maxRows` and `maxDelay`' }]
  if (mode !== 'Fixed' && limits.length > 0)
    return [
      {
        code: 'TL_SPEC_BATCHING',
        path,
        message: `${limits.join(' and ')} only mean something with mode Fixed, not \`${mode}\``,
      },
    ]
  return []
}

function checkResources(view: DocumentView): Finding[] {
  const request = view.quantityAt('spec', 'resources', 'cpu')?.nanos ?? BigInt(defaults.cpuMillis) * 1_000_000n
  const limit = view.quantityAt('spec', 'resources', 'cpuLimit')?.nanos
  if (limit === undefined || limit >= request) return []
  const message = `cpuLimit ${renderQuantity({ nanos: limit })} is below the cpu that is reserved, ${renderQuantity({ nanos: request })}`
  return [{ code: 'TL_SPEC_CPU_LIMIT', path: ['spec', 'resources', 'cpuLimit'], message }]
}

function checkGpu(view: DocumentView): Finding[] {
  const findings: Finding[] = []
  const count = view.numberAt('spec', 'gpu', 'count') ?? 1
  const hasMig = view.has('spec', 'gpu', 'mig')
  if (view.textAt('spec', 'gpu', 'sharing') === 'Shared' && (count > 1 || hasMig)) {
    const message = hasMig
      ? 'a MIG slice is never shared; remove `sharing` or `mig`'
      : `shared devices come one at a time, not ${count}`
    findings.push({ code: 'TL_SPEC_GPU', path: ['spec', 'gpu', 'sharing'], message })
  }
  if (hasMig && view.has('spec', 'gpu', 'resourceName'))
    findings.push({
      code: 'TL_SPEC_GPU',
      path: ['spec', 'gpu', 'resourceName'],
      message: 'give `mig` or `resourceName`, not both',
    })
  return findings
}
