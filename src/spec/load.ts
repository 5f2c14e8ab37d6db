import { dirname, extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Diagnostic, hasErrors, sortDiagnostics } from '../base/diagnostic.ts'
import { TowlineError } from '../base/errors.ts'
import type { ApiKey, Service } from './service.ts'
import { isReservedOverlay } from './rules/rollout-rules.ts'
import { type Finding, placeFinding } from './source/finding.ts'
import { mergeOverlay } from './source/overlay.ts'
import { parsePlain } from './source/plain-node.ts'
import { plainValue } from './source/positioned-node.ts'
import { readBytes } from './source/read-bytes.ts'
import { type ParsedSource, parseYamlSource } from './source/yaml-source.ts'
import type { Target } from './unsupported.ts'
import { validateTree } from './validate.ts'

const isModule = /\.[cm]?[tj]s$/

export interface LoadSpecOptions {
  /** Values for references in `env`, and instead of the values written there (`--env-file`). */
  readonly env?: Readonly<Record<string, string>>
  /** The keys of the secret that `expose.apiKeys` names (`--api-keys`). */
  readonly apiKeys?: readonly ApiKey[]
  /** Name of the overlay: `production` reads `towline.production.yaml` beside `towline.yaml` (`--env`). */
  readonly overlay?: string
  /** For whom it is read; the local engine when left out. */
  readonly target?: Target
}

export interface LoadedSpec {
  /** The document with its overlay applied; undefined when the text could not be read as one. */
  readonly document: unknown
  /** Present when there is no error. */
  readonly service?: Service
  readonly diagnostics: readonly Diagnostic[]
  /** Where something found later lies in the files; absent where the text could not be read. */
  readonly place?: (finding: Finding) => Diagnostic
}

/** Reads a service from `towline.yaml` or `towline.config.ts`. What is wrong inside is returned; a missing file is thrown. */
export async function loadSpec(
  file: string,
  { env, apiKeys, overlay, target }: LoadSpecOptions = {},
): Promise<LoadedSpec> {
  const base = await readSource(file)
  const top = overlay === undefined ? undefined : await readOverlay(file, overlay)
  const texts = [...base.diagnostics, ...(top?.diagnostics ?? [])]
  if (base.root === undefined || (top !== undefined && top.root === undefined))
    return { document: undefined, diagnostics: sortDiagnostics(texts) }
  const merged = top?.root === undefined ? { root: base.root, diagnostics: [] } : mergeOverlay(base.root, top.root)
  const options = {
    baseDir: dirname(resolve(file)),
    file,
    ...(env === undefined ? {} : { env }),
    ...(apiKeys === undefined ? {} : { apiKeys }),
    ...(target === undefined ? {} : { target }),
  }
  const places = isModule.test(file) ? 'Unknown' : 'Exact'
  const { service, diagnostics } = await validateTree(merged.root, options, places)
  const all = sortDiagnostics([...texts, ...merged.diagnostics, ...diagnostics])
  const loaded = {
    document: plainValue(merged.root),
    diagnostics: all,
    place: (finding: Finding) => placeFinding(merged.root, finding, places),
  }
  return service === undefined || hasErrors(all) ? loaded : { ...loaded, service }
}

async function readOverlay(file: string, overlay: string): Promise<ParsedSource> {
  const top = overlayFile(file, overlay)
  try {
    return await readSource(top)
  } catch (cause) {
    if (!(cause instanceof TowlineError) || cause.code !== 'TL_FILE_MISSING') throw cause
    throw new TowlineError('TL_FILE_MISSING', top, {
      cause,
      hint: `\`--env ${overlay}\` reads it beside ${file}; the least it can hold is apiVersion, kind and metadata.name`,
    })
  }
}

/** `towline.yaml` and `production` → `towline.production.yaml`. */
export function overlayFile(file: string, overlay: string): string {
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(overlay))
    throw new TowlineError('TL_USAGE', `\`${overlay}\` is not a name of an environment`, {
      hint: 'use lower-case letters, digits and `-`',
    })
  if (isReservedOverlay(overlay))
    throw new TowlineError(
      'TL_USAGE',
      `an environment cannot be called \`${overlay}\`: towline.${overlay}.yaml is another kind of file`,
      {
        hint: 'choose another name, such as staging',
      },
    )
  return besideFile(file, overlay)
}

/** The tests that belong to a spec: `towline.test.yaml`. */
export function testPlanFile(file: string): string {
  return besideFile(file, 'test')
}

function besideFile(file: string, word: string): string {
  const ending = extname(file)
  const stem = file.slice(0, file.length - ending.length).replace(/\.config$/, '')
  return `${stem}.${word}.yaml`
}

/** A spec, an overlay or a card as positioned nodes. */
export async function readSource(file: string): Promise<ParsedSource> {
  if (isModule.test(file)) return readModule(file)
  return parseYamlSource(file, await readBytes(file))
}

async function readModule(file: string): Promise<ParsedSource> {
  await readBytes(file)
  const at = { file, line: 1, column: 1, endLine: 1, endColumn: 1 }
  const refuse = (message: string): ParsedSource => ({
    diagnostics: [
      {
        code: 'TL_SPEC_NOT_LOADABLE',
        severity: 'error',
        message,
        at,
        hint: 'write `export default defineService({ … })`',
      },
    ],
  })
  let loaded: { readonly default?: unknown }
  try {
    // A person's own module: what it exports is checked below.
    loaded = (await import(pathToFileURL(resolve(file)).href)) as typeof loaded
  } catch (error) {
    return refuse(`the file cannot be run: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (loaded.default === undefined) return refuse('the file has no default export')
  return parsePlain(loaded.default, file)
}
