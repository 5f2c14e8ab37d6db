import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { copyFile, mkdir } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative } from 'node:path'
import { TowlineError } from '../../base/errors.ts'
import { writeFileAtomic } from '../../base/file/atomic-file.ts'
import { buildStageImage } from '../../compat/base-images.ts'
import { parseBaseSpec } from '../../image/base/base-spec.ts'
import { renderBuildFiles } from '../../image/dockerfile/build-files.ts'
import {
  type DockerfileOptions,
  ownMark,
  renderDockerfile,
  renderDockerignore,
} from '../../image/dockerfile/dockerfile.ts'
import { codeManifest } from '../../image/build/layer-entries.ts'
import type { PlannedImages } from './plan-request.ts'

/** The user's own `Dockerfile` is never touched: then ours has the other name. */
const names = ['Dockerfile', 'Dockerfile.towline']

export interface WrittenDockerfile {
  readonly file: string
  /** All that was written, the Dockerfile first. */
  readonly paths: readonly string[]
}

/** Writes the Dockerfile, its ignore file and the folder that it copies from, beside the spec. */
export async function writeDockerfile(
  { specDir, model, runtime, plans }: PlannedImages,
  codeRoot: string,
  npmrc: boolean,
): Promise<WrittenDockerfile> {
  const [plan] = plans
  const { kind } = parseBaseSpec(plan.base.reference, specDir)
  if (kind !== 'Registry' && kind !== 'Scratch')
    throw new TowlineError('TL_USAGE', `a Dockerfile cannot stand on ${plan.base.reference}`, {
      hint: 'name a base in a registry, or build without Docker',
    })
  const file = names.find((name) => isOurs(join(specDir, name))) ?? ''
  if (file === '')
    throw new TowlineError('TL_FILE_EXISTS', `${names.join(' and ')} in ${specDir} are not made by towline`, {
      hint: 'move one of them away',
    })
  const modelFiles = new Map(model.files.map(({ name, file: path }) => [name, inContext(specDir, path)]))
  const options: DockerfileOptions = { file, buildBase: buildStageImage.reference, npmrc, modelFiles }
  const paths = {
    dockerfile: join(specDir, file),
    ignore: join(specDir, `${file}.dockerignore`),
    files: join(specDir, `${file}.files`),
  }
  if (!isOurs(paths.ignore))
    throw new TowlineError('TL_FILE_EXISTS', `${paths.ignore} is not made by towline`, { hint: 'move it away' })
  if (existsSync(paths.files) && !existsSync(join(paths.files, 'layers.json')))
    throw new TowlineError('TL_FILE_EXISTS', `${paths.files} is not made by towline`, { hint: 'move it away' })

  const draft = mkdtempSync(`${paths.files}.`)
  try {
    const hasPhotos = plan.layers.some(({ name }) => name === 'photos')
    for (const { path, text } of renderBuildFiles(runtime, hasPhotos)) writeFileSync(join(draft, path), text)
    for (const layer of plan.layers) {
      if (layer.content.kind === 'Documents')
        for (const { path, text } of layer.content.documents) writeText(join(draft, 'root', path), text)
      if (layer.content.kind !== 'Code') continue
      writeText(join(draft, 'code', 'package.json'), codeManifest(layer.content.code))
      for (const module of layer.content.code.files) {
        const target = join(draft, 'code', 'dist', module)
        await mkdir(dirname(target), { recursive: true })
        await copyFile(join(codeRoot, module), target)
      }
    }
    rmSync(paths.files, { recursive: true, force: true })
    renameSync(draft, paths.files)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
  writeFileAtomic(paths.ignore, renderDockerignore(options))
  writeFileAtomic(paths.dockerfile, renderDockerfile(plan, options))
  return { file, paths: [paths.dockerfile, paths.ignore, paths.files] }
}

function isOurs(file: string): boolean {
  return !existsSync(file) || readFileSync(file, 'utf8').startsWith(ownMark)
}

/** A build sees nothing outside its context, and copies a link as a link. */
function inContext(specDir: string, file: string): string {
  const path = relative(specDir, file)
  const wayOut = 'move the model there, or build without Docker: `towline build` reads it where it lies'
  if (path.startsWith('..') || isAbsolute(path))
    throw new TowlineError('TL_CONTEXT_REFUSED', `${file} lies outside ${specDir}, which is the build context`, {
      hint: wayOut,
    })
  if (/\p{Cc}/u.test(path))
    throw new TowlineError('TL_CONTEXT_REFUSED', `${JSON.stringify(path)} has a control character in its name`, {
      hint: 'rename the file',
    })
  if (lstatSync(file).isSymbolicLink())
    throw new TowlineError('TL_CONTEXT_REFUSED', `${file} is a symbolic link, and a build copies it as one`, {
      hint: wayOut,
    })
  return path
}

function writeText(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}
