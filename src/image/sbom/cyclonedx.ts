import { canonicalJson, hashOf } from '../../base/canonical.ts'
import { TowlineError } from '../../base/errors.ts'
import {
  type Component,
  describeDebianPackage,
  describeImage,
  describeModel,
  describeNode,
  describeNpmPackage,
  describeTowline,
} from './components.ts'
import type { ImageContents } from './contents.ts'

export const cycloneDxMediaType = 'application/vnd.cyclonedx+json'

/**
 * The bill of materials of one image as a CycloneDX 1.6 document. The same contents in any order give the same document:
 * nothing in it is random, and it says a time only where the contents do. What packages need among themselves is not
 * said: the image depends on each of them. TL_PACKAGE_MISMATCH for two different packages of one name and version.
 */
export function describeContents(contents: ImageContents): object {
  const { image, platform, base, node, towline, model, packages, createdAtS } = contents
  const root = describeImage(image, platform)
  const ground = base === undefined ? undefined : describeImage(base, platform)
  const fromBase = unite((base?.packages ?? []).map((entry) => describeDebianPackage(entry, base?.release)))
  const own = describeTowline(towline)
  const components = unite([
    ...(ground === undefined ? [] : [ground]),
    own,
    describeNode(node),
    describeModel(model),
    ...packages.map(describeNpmPackage),
    ...fromBase,
  ])
  const document = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      ...(createdAtS === undefined ? {} : { timestamp: formatTime(createdAtS) }),
      lifecycles: [{ phase: 'build' }],
      tools: { components: [{ type: 'application', name: own.name, version: own.version }] },
      component: root,
    },
    components,
    dependencies: [
      { ref: root['bom-ref'], dependsOn: refsOf(components) },
      ...(ground === undefined ? [] : [{ ref: ground['bom-ref'], dependsOn: refsOf(fromBase) }]),
    ],
  }
  return { ...document, serialNumber: `urn:uuid:${uuidOf(document)}` }
}

/** Sorted, each once. */
function unite(components: readonly Component[]): readonly Component[] {
  const byRef = new Map<string, Component>()
  for (const component of components) {
    const ref = component['bom-ref']
    const other = byRef.get(ref)
    if (other !== undefined && canonicalJson(other) !== canonicalJson(component))
      throw new TowlineError('TL_PACKAGE_MISMATCH', `two packages with different contents are both called ${ref}`, {
        hint: 'make the lock file anew, so that each name and version has one integrity and one license',
      })
    byRef.set(ref, component)
  }
  return [...byRef.values()].toSorted((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1))
}

function refsOf(components: readonly Component[]): string[] {
  return components.map((component) => component['bom-ref'])
}

/** RFC 3339, in whole seconds. */
function formatTime(atS: number): string {
  return new Date(atS * 1000).toISOString().replace('.000Z', 'Z')
}

/** Version 8 of RFC 9562: bits of one's own choice, here of the SHA-256 of the content. */
function uuidOf(document: object): string {
  const hex = hashOf(document)
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0b0011) | 0b1000).toString(16)
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join('-')
}
