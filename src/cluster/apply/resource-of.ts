import type { KubeObject, Resource } from '../../kube/object.ts'
import { resources } from '../../kube/resources.ts'

/** Where an object of ours lives. Fails on a kind that Towline never writes: a mistake of ours. */
export function resourceOf({ apiVersion = '', kind = '' }: KubeObject): Resource {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  const found = Object.values(resources).find((each) => each.kind === kind && each.group === group)
  if (found === undefined) throw new Error(`no resource for ${apiVersion} ${kind}`)
  return found
}

/** `Deployment cats` */
export function nameObject({ kind = '', metadata }: KubeObject): string {
  return `${kind} ${metadata?.name ?? ''}`
}
