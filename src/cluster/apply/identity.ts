import type { Deployment } from 'kubernetes-types/apps/v1.js'

/** For an apply of some fields of a Deployment that was read. With the uid, or what was deleted meanwhile would be made anew. */
export function identityOf({ metadata = {} }: Deployment): { name?: string; namespace?: string; uid?: string } {
  const { name, namespace, uid } = metadata
  return {
    ...(name === undefined ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
  }
}
