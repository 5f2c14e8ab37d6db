import { oneLine, shortenDigests } from '../../base/display.ts'
import type { DeployPlan, ObjectChange, PodChange } from '../../cluster/plan/deploy-plan.ts'
import type { FieldChange } from '../../cluster/plan/field-changes.ts'
import { renderRow } from '../term/layout.ts'

/** What a deploy would do: the answer first, then what it rests on. */
export function renderDeployPlan(plan: DeployPlan): string[] {
  const { placement, replicas, pods, warnings, refusals } = plan
  const same = plan.objects.filter(({ action }) => action === 'Same').length
  return [
    renderRow('plan', describePlan(plan)),
    ...plan.objects.filter(({ action }) => action !== 'Same').flatMap(renderObject),
    ...(same === 0 ? [] : [renderRow('unchanged', same === 1 ? '1 object' : `${same} objects`)]),
    renderRow('replicas', describeReplicas(replicas)),
    ...(pods === null
      ? []
      : [renderRow('pods', describePods(pods)), renderRow('because of', pods.because.map(shorten).join(', '))]),
    ...describePlacement(plan).map((text) => renderRow('placement', text)),
    ...(placement?.notes ?? []).map((note) => renderRow('note', note)),
    ...warnings.map((warning) => renderRow('warning', warning)),
    ...refusals.map(({ detail, hint }) => renderRow('refused', hint === undefined ? detail : `${detail} (${hint})`)),
  ]
}

function describePlan({ name, namespace, context, revision: { from, to }, objects }: DeployPlan): string {
  const where = `${name} in namespace ${namespace} of ${context}`
  if (from === null) return `${where}: new, revision ${to}`
  if (objects.every(({ action }) => action === 'Same')) return `${where}: nothing changes, revision ${to}`
  return from === to ? `${where}: revision ${to} stays` : `${where}: revision ${from} → ${to}`
}

function renderObject({ kind, name, action, fields }: ObjectChange): string[] {
  return [renderRow(action.toLowerCase(), `${kind} ${name}`), ...fields.filter(isTelling).map(renderField)]
}

/** They follow from the others. */
function isTelling({ path }: FieldChange): boolean {
  return !path.endsWith('[towline.dev/revision]') && !path.includes('.volumes[towline-settings]')
}

function renderField({ path, from, to, setBy }: FieldChange): string {
  const by = setBy.length === 0 ? '' : `   set by ${setBy.join(', ')}`
  return renderRow('', `  ${shorten(path)}  ${show(from)} → ${show(to)}${by}`)
}

/** As a person knows it: of a pod there is one container. */
function shorten(path: string): string {
  return path
    .replace(/^(spec\.template\.spec\.)?containers\[server\]\.?/, '')
    .replace(/^spec\.template\.(spec|metadata)\./, 'pod.')
    .replace(/^spec\./, '')
}

function show(value: unknown): string {
  if (value === null) return 'absent'
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return oneLine(shortenDigests(text))
}

function describeReplicas({ from, to, by }: DeployPlan['replicas']): string {
  if (by === 'Kept') return `${to}, as it is`
  return from === null || from === to ? String(to) : `${from} → ${to}`
}

/** Where no pod is replaced it is only a matter of room; what is refused for it says so itself. */
function describePlacement({ placement, pods, refusals }: DeployPlan): string[] {
  if (placement === null || refusals.some(({ detail }) => detail === placement.reason)) return []
  return [pods === null ? placement.reason : `${placement.kind}: ${placement.reason}`]
}

function describePods({ replaced, manner, isPaused }: PodChange): string {
  const what = replaced === 1 ? '1 pod is replaced' : `${replaced} pods are replaced`
  const way = {
    Surge: 'one at a time, each new one before an old one ends: 0 requests lost expected',
    Swap:
      replaced === 1
        ? 'the only one ends before the new one starts: downtime'
        : 'one at a time, an old one ends first: one replica less meanwhile, 0 requests lost expected',
    Recreate: 'all old ones end before new ones start: downtime',
  }[manner]
  return `${what}, ${way}${isPaused ? '; not before `paused` is false' : ''}`
}
