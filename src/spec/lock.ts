import type { Diagnostic } from '../base/diagnostic.ts'
import { hashOf } from '../base/canonical.ts'
import { type Finding, placeFinding } from './source/finding.ts'
import { plainValue } from './source/positioned-node.ts'
import { parseYamlSource } from './source/yaml-source.ts'
import { viewDocument } from './rules/document-view.ts'

/** `towline.lock`, written by `towline build` and `towline push`: what the tags and paths of a spec were when it was locked. */
export interface Lock {
  /** `inputsHash` of the document that was locked. */
  readonly inputs: string
  /** The image by digest, `name@sha256:…`. */
  readonly image?: string
  /** The image that it stands on, by digest: the next build takes the same. */
  readonly base?: string
  readonly model?: {
    /** Where the model was put, when the spec has a local path. */ readonly uri?: string
    readonly digest: string
  }
}

const digest = /^sha256:[0-9a-f]{64}$/

/** Hash of what a lock pins: the model, the image and the recipe. Everything else may change without locking again. */
export function inputsHash(document: unknown): string {
  const view = viewDocument(document)
  return hashOf({ model: view.at('spec', 'model'), image: view.at('spec', 'image'), build: view.at('spec', 'build') })
}

/** Reads the text of a lock file; whatever is wrong with it is a finding. */
export async function parseLock(
  file: string,
  bytes: Uint8Array,
): Promise<{ readonly lock?: Lock; readonly diagnostics: readonly Diagnostic[] }> {
  const { root, diagnostics } = await parseYamlSource(file, bytes)
  if (root === undefined || diagnostics.some(({ severity }) => severity === 'error')) return { diagnostics }
  const value = plainValue(root)
  const findings = checkLock(value)
  if (findings.length > 0) return { diagnostics: findings.map((finding) => placeFinding(root, finding)) }
  // Each field has just been checked.
  return { lock: value as Lock, diagnostics }
}

function checkLock(value: unknown): Finding[] {
  const view = viewDocument(value)
  const findings: Finding[] = []
  const say = (path: readonly string[], message: string): void => {
    findings.push({
      path,
      code: 'TL_LOCK_INVALID',
      message: `${message}; delete the lock, and \`towline build\` writes it anew`,
    })
  }
  if (view.textAt('inputs') === undefined) say(['inputs'], 'the lock has no `inputs` hash')
  for (const key of view.keysAt())
    if (!['inputs', 'image', 'base', 'model'].includes(key)) say([key], `\`${key}\` is not a field of a lock`)
  for (const key of ['image', 'base'])
    if (view.has(key) && !digest.test((view.textAt(key) ?? '').split('@')[1] ?? ''))
      say([key], `\`${key}\` has no digest`)
  if (view.has('model') && !digest.test(view.textAt('model', 'digest') ?? ''))
    say(['model', 'digest'], 'the model has no digest')
  for (const key of view.keysAt('model'))
    if (!['uri', 'digest'].includes(key)) say(['model', key], `\`model.${key}\` is not a field of a lock`)
  return findings
}

/** The text of a lock file, as `parseLock` reads it. */
export function renderLock({ inputs, image, base, model }: Lock): string {
  const line = (key: string, value: string | undefined): string[] => (value === undefined ? [] : [`${key}: ${value}`])
  return [
    '# Written by `towline build` and `towline push`: what the spec beside it stands for. Commit it.',
    ...line('inputs', inputs),
    ...line('image', image),
    ...line('base', base),
    ...(model === undefined ? [] : ['model:', ...line('  uri', model.uri), ...line('  digest', model.digest)]),
    '',
  ].join('\n')
}
