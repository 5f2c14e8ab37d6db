import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { PodChange } from './deploy-plan.ts'
import type { FieldChange } from './field-changes.ts'
import { mannerOf } from './strategy.ts'

const template = 'spec.template.'
/** They follow from the others, and say nothing to a person. */
const followers =
  /^metadata\.(labels|annotations)\[towline\.dev\/(revision|renderer)\]|^spec\.volumes\[towline-settings\]/

/** What of a Deployment's changes replaces its pods. */
export function changesOfPods(fields: readonly FieldChange[]): readonly FieldChange[] {
  return fields.filter(({ path }) => path.startsWith(template))
}

export interface PodQuestion {
  readonly live: Deployment | undefined
  /** As it would be. */
  readonly planned: Deployment
  readonly fields: readonly FieldChange[]
}

/** Null: no pod is there, or all of them stay. */
export function describePods({ live, planned, fields }: PodQuestion): PodChange | null {
  const changes = changesOfPods(fields).map(({ path }) => path.slice(template.length))
  const replaced = live?.status?.replicas ?? 0
  if (changes.length === 0 || replaced === 0) return null
  const told = changes.filter((path) => !followers.test(path)).map((path) => path.replace(/^spec\./, ''))
  return {
    replaced,
    manner: mannerOf(planned),
    // Settings of the server are in a ConfigMap, whose name has their hash.
    because: told.length === 0 ? ['settings of the server'] : told,
    isPaused: planned.spec?.paused === true,
  }
}
