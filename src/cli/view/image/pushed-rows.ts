import { relative } from 'node:path'
import { formatBytes, formatDigest } from '../../../base/display.ts'
import type { Pushed } from '../../image/push-image.ts'
import { nameArtifact } from './artifact-name.ts'
import { renderRow } from '../../term/layout.ts'

/** Paths of lock files are shown from `cwd`. */
export function renderPushed(
  { reference, blobs, referrers, modelPack }: Pushed,
  lockFiles: readonly string[],
  cwd: string,
): readonly string[] {
  const count = (how: string): number => blobs.filter((blob) => blob.how === how).length
  const sentBytes = blobs.reduce((sum, blob) => sum + blob.sentBytes, 0)
  return [
    renderRow('pushed', reference),
    renderRow(
      'blobs',
      `${count('Uploaded')} sent (${formatBytes(sentBytes)}), ${count('Mounted')} mounted, ${count('Present')} there already`,
    ),
    ...referrers.map(({ artifactType, digest, listedBy }) =>
      renderRow(
        'attached',
        `${nameArtifact(artifactType)}  ${formatDigest(digest)}${listedBy === 'Tag' ? '  under the tag sha256-…, since this registry keeps no list' : ''}`,
      ),
    ),
    ...(modelPack === undefined ? [] : [renderRow('model', modelPack.reference)]),
    ...lockFiles.map((file) => renderRow('lock', `${relative(cwd, file)}   names it`)),
  ]
}
