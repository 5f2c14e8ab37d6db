import { oneLine } from '../../../base/display.ts'
import { cycloneDxMediaType } from '../../../image/sbom/cyclonedx.ts'
import { attestationType } from '../../image/push-image.ts'

const names: Readonly<Record<string, string>> = {
  [cycloneDxMediaType]: 'SBOM (CycloneDX)',
  [attestationType]: 'attestation of an environment',
}

/** The type of something that is said about an image, in words where we know it. */
export function nameArtifact(artifactType: string): string {
  return names[artifactType] ?? oneLine(artifactType)
}
