import { statSync } from 'node:fs'
import { extname, join, resolve } from 'node:path'
import { suggest } from '../../base/suggestion.ts'
import type { Finding } from '../source/finding.ts'
import type { DocumentView } from './document-view.ts'

/** Of the kinds of store that a model may lie in. */
export const modelSchemes = ['oci', 's3', 'gs', 'https', 'hf', 'pvc', 'image']
const path = ['spec', 'model', 'uri']

/** True for an address of a known kind of store. */
export function isModelAddress(uri: string): boolean {
  return modelSchemes.some((scheme) => uri.startsWith(`${scheme}://`))
}

/** True for an address elsewhere; everything else is a path. */
function isRemote(uri: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(uri)
}

export function checkModelUri(view: DocumentView): Finding[] {
  const uri = view.textAt(...path)
  const scheme = uri === undefined ? undefined : /^([a-z][a-z0-9+.-]*):\/\//i.exec(uri)?.[1]
  if (uri === undefined || scheme === undefined) return []
  if (modelSchemes.includes(scheme)) {
    // The part between `//` and `@` would be written to logs and status.
    if (!/^[a-z]+:\/\/[^/]*:[^/]*@/.test(uri)) return []
    return [
      {
        code: 'TL_SPEC_ENV_SECRET',
        path,
        message: 'the address of the model holds a password; use model.auth.secretRef',
      },
    ]
  }
  const close = scheme === 'http' ? 'https' : suggest(scheme, modelSchemes)
  const wayOut =
    scheme === 'file'
      ? 'write the path alone'
      : close === undefined
        ? `known are ${modelSchemes.join(', ')}`
        : `did you mean \`${close}://\`?`
  return [{ code: 'TL_SPEC_MODEL_URI', path, message: `\`${scheme}://\` is no address of a model; ${wayOut}` }]
}

/** Looks at the files of a local model: a spec that names nothing is wrong before anything starts. */
export function checkLocalModel(view: DocumentView, baseDir: string): Finding[] {
  const uri = view.textAt(...path)
  if (uri === undefined || uri === '' || uri.includes('\0') || isRemote(uri)) return []
  const place = resolve(baseDir, uri)
  const found = look(place)
  if (found === undefined)
    return [
      { code: 'TL_SPEC_MODEL_MISSING', path, message: `the model \`${uri}\` does not exist (looked at ${place})` },
    ]
  const format = view.textAt('spec', 'model', 'format')
  if (format !== undefined && format !== 'onnx') return []
  if (found === 'folder' && look(join(place, 'model.onnx')) !== 'file')
    return [{ code: 'TL_SPEC_MODEL_MISSING', path, message: `the folder \`${uri}\` holds no model.onnx` }]
  if (found === 'file' && extname(place) !== '.onnx' && format === undefined) {
    const message = `the format of \`${uri}\` cannot be told from its name; add model.format`
    return [{ code: 'TL_SPEC_MODEL_FORMAT', path, message }]
  }
  return []
}

function look(place: string): 'file' | 'folder' | undefined {
  // A path too long for the system is one that does not exist.
  try {
    const found = statSync(place, { throwIfNoEntry: false })
    return found?.isDirectory() ? 'folder' : found?.isFile() ? 'file' : undefined
  } catch {
    return undefined
  }
}
