import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { LineCounter, parseDocument } from 'yaml'
import { hasErrno } from '../../base/errors.ts'
import { unusable } from './unusable.ts'

export type Fields = Readonly<Record<string, unknown>>

/** A cluster, a user or a context, with the file that says so. Paths in `fields` are absolute. */
export interface Entry {
  readonly name: string
  readonly file: string
  readonly fields: Fields
}

export interface Kubeconfig {
  readonly files: readonly string[]
  readonly clusters: readonly Entry[]
  readonly users: readonly Entry[]
  readonly contexts: readonly Entry[]
  /** Name of the current context. */
  readonly current: string | undefined
}

const otherFile = 'mend it, or name another file with the variable KUBECONFIG'

/** Several files as one: of what has the same name the first counts, whole, as with kubectl. TL_KUBECONFIG_UNUSABLE. */
export function readKubeconfig(files: readonly string[]): Kubeconfig {
  const parts = files.map(readFile)
  const merge = (key: 'clusters' | 'users' | 'contexts'): Entry[] => {
    const merged = new Map<string, Entry>()
    for (const entry of parts.flatMap((part) => part[key])) if (!merged.has(entry.name)) merged.set(entry.name, entry)
    return [...merged.values()]
  }
  return {
    files,
    clusters: merge('clusters'),
    users: merge('users'),
    contexts: merge('contexts'),
    current: parts.map(({ current }) => current).find((current) => current !== undefined),
  }
}

function readFile(file: string): Kubeconfig {
  // An empty file is an empty kubeconfig.
  const document = parseText(file, readText(file)) ?? {}
  if (!isObject(document)) throw unusable(`${file} is no kubeconfig`, otherFile)
  const list = (key: string, kind: string): Entry[] => {
    const entries = document[key] ?? []
    if (!Array.isArray(entries)) throw unusable(`${file}: \`${key}\` is no list`, otherFile)
    return entries.map((entry: unknown, index) => {
      const name = isObject(entry) ? entry['name'] : undefined
      if (!isObject(entry) || typeof name !== 'string')
        throw unusable(`${file}: \`${key}[${index}].name\` is no text`, otherFile)
      const fields = entry[kind] ?? {}
      if (!isObject(fields)) throw unusable(`${file}: the ${kind} \`${name}\` is no mapping`, otherFile)
      return { name, file, fields: resolvePaths(fields, dirname(resolve(file))) }
    })
  }
  return {
    files: [file],
    clusters: list('clusters', 'cluster'),
    users: list('users', 'user'),
    contexts: list('contexts', 'context'),
    current: readTextField(document, 'current-context', file),
  }
}

function readText(file: string): string {
  try {
    if (statSync(file).isDirectory()) throw unusable(`${file} is a folder`, 'name the file in it')
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) throw unusable(`there is no ${file}`, otherFile)
    if (hasErrno(error, 'EACCES', 'EPERM')) throw unusable(`${file} may not be read`, otherFile)
    throw error
  }
}

function parseText(file: string, text: string): unknown {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { prettyErrors: false, lineCounter })
  const [error] = document.errors
  if (error !== undefined)
    throw unusable(`${file}:${lineCounter.linePos(error.pos[0]).line} is no YAML (${error.code})`, otherFile)
  try {
    return document.toJS()
  } catch {
    throw unusable(`${file} is no YAML: it repeats itself without end`, otherFile)
  }
}

const pathFields: readonly string[] = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile']

/** Paths are relative to the folder of the file; so is a command with a slash in it. */
function resolvePaths(fields: Fields, folder: string): Fields {
  const resolved = Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      pathFields.includes(key) && typeof value === 'string' && value !== '' ? resolve(folder, value) : value,
    ]),
  )
  const { exec } = resolved
  if (!isObject(exec) || typeof exec['command'] !== 'string' || !exec['command'].includes('/')) return resolved
  return { ...resolved, exec: { ...exec, command: resolve(folder, exec['command']) } }
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Undefined where it is absent or empty. TL_KUBECONFIG_UNUSABLE where it is no text; the value is not said: it may be a secret. */
export function readTextField(fields: Fields, key: string, where: string): string | undefined {
  const value = fields[key]
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'string') return value
  throw unusable(`${where}: \`${key}\` is no text`, 'write it in quotes')
}
