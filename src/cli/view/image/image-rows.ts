import { formatBytes, formatDigest, formatMs, oneLine } from '../../../base/display.ts'
import type { ImageDescription, PlatformDescription } from '../../../image/inspect.ts'
import { formatPlatform } from '../../../image/oci/descriptor.ts'
import { nameArtifact } from './artifact-name.ts'
import { renderRow, renderTable } from '../../term/layout.ts'

export function renderImage({ digest, platforms, artifacts, absent }: ImageDescription): readonly string[] {
  return [
    renderRow('image', digest),
    ...platforms.flatMap(renderPlatform),
    ...artifacts.map(({ artifactType, digest: own, subject }) =>
      renderRow(
        'artifact',
        `${nameArtifact(artifactType)}  ${formatDigest(own)}${subject === undefined ? '' : `  about ${formatDigest(subject)}`}`,
      ),
    ),
    ...absent.map(({ platform, digest: own }) =>
      renderRow(
        'not here',
        `${platform === undefined ? 'a manifest' : formatPlatform(platform)}  ${formatDigest(own)}`,
      ),
    ),
  ]
}

function renderPlatform({
  digest,
  platform,
  layersBytes,
  run,
  layers,
  created,
}: PlatformDescription): readonly string[] {
  const rows = layers.map(({ sizeBytes, digest: own, mediaType, createdBy, comment }) => [
    `  ${formatBytes(sizeBytes)}`,
    formatDigest(own),
    mediaType.replace(/^.*\.tar/, 'tar').replace(/^.*diff\.tar/, 'tar'),
    shorten(createdBy ?? '?'),
    oneLine(comment ?? ''),
  ])
  const check = run.healthCheck
  return [
    renderRow('platform', `${formatPlatform(platform)}  ${formatDigest(digest)}  ${formatBytes(layersBytes)} packed`),
    renderTable(['  packed', 'digest', 'form', 'made by', 'why'], rows),
    ...(created === undefined ? [] : [renderRow('created', oneLine(created))]),
    renderRow('user', run.user === '' ? 'root' : oneLine(run.user)),
    renderRow('entry', oneLine([...run.entrypoint, ...run.command].join(' '))),
    ...(run.ports.length === 0 ? [] : [renderRow('ports', oneLine(run.ports.join(', ')))]),
    ...(run.stopSignal === undefined ? [] : [renderRow('stop', oneLine(run.stopSignal))]),
    renderRow(
      'health',
      check === undefined
        ? 'no check'
        : `${oneLine(check.test.join(' '))}${check.intervalMs === undefined ? '' : `  every ${formatMs(check.intervalMs)}`}`,
    ),
    ...Object.entries(run.labels).map(([key, value]) => renderRow('label', oneLine(`${key}=${value}`))),
  ]
}

/** Steps of other builders may be whole shell scripts. */
function shorten(text: string): string {
  const line = oneLine(text)
  return line.length <= 50 ? line : `${line.slice(0, 49)}…`
}
