import { join } from 'node:path'
import { TowlineError, hasErrno } from '../../base/errors.ts'
import { readRegularFile } from '../../base/file/regular-file.ts'
import { createSourceText } from '../../base/source-text.ts'
import { askHelper } from './credential-helper.ts'
import { type Credentials, credentialsOf } from './credentials.ts'
import { dockerHub } from './reference.ts'

/** Where logins are kept and looked for. */
export interface LoginPlaces {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly homeFolder: string
}

/** How Docker calls its Hub in these files and to helpers. */
const dockerHubKey = 'https://index.docker.io/v1/'
const maxFileBytes = 4 << 20

/**
 * The login for a repository, of the first file that has one: Docker's, the one that REGISTRY_AUTH_FILE names, Podman's. The
 * most precise key counts: `host/team/model`, `host/team`, `host`. A helper for that key goes before the helper for all,
 * and that before what stands in the file. TL_FILE_UNREADABLE, TL_FILE_MISSING: never with a part of the file's content.
 */
export async function findCredentials(
  host: string,
  repository: string,
  places: LoginPlaces,
): Promise<Credentials | undefined> {
  const keys = keysFor(host, repository)
  const server = host === dockerHub ? dockerHubKey : host
  for (const file of listConfigFiles(places)) {
    const config = readConfig(file)
    if (config === undefined) continue
    const helper = findByKey(config.credHelpers, keys) ?? config.credsStore
    const found =
      (helper === undefined || helper === ''
        ? undefined
        : await askHelper(helper, server, { env: places.env, file })) ??
      decodeEntry(findByKey(config.auths, keys), file)
    if (found !== undefined) return found
  }
  return undefined
}

/** In the order in which they are looked at. */
export function listConfigFiles({ env, homeFolder }: LoginPlaces): string[] {
  const from = (variable: string, ...parts: string[]): string[] => {
    const folder = env[variable]
    return folder === undefined || folder === '' ? [] : [join(folder, ...parts)]
  }
  const own = from('DOCKER_CONFIG', 'config.json')
  return [
    ...(own.length === 0 ? [join(homeFolder, '.docker', 'config.json')] : own),
    ...from('REGISTRY_AUTH_FILE'),
    ...from('XDG_RUNTIME_DIR', 'containers', 'auth.json'),
    join(homeFolder, '.config', 'containers', 'auth.json'),
  ]
}

/** From the most precise to the host alone. */
function keysFor(host: string, repository: string): string[] {
  const parts = repository.split('/')
  const paths = parts.map((_, index) => [host, ...parts.slice(0, parts.length - index)].join('/'))
  return [...paths, host, ...(host === dockerHub ? ['index.docker.io', 'registry-1.docker.io'] : [])]
}

interface Config {
  readonly auths: ReadonlyMap<string, unknown>
  readonly credHelpers: ReadonlyMap<string, string>
  readonly credsStore: string | undefined
}

function readConfig(file: string): Config | undefined {
  let text: string
  try {
    text = readRegularFile(file, maxFileBytes).toString()
  } catch (cause) {
    if (hasErrno(cause, 'ENOENT', 'ENOTDIR')) return undefined
    throw new TowlineError('TL_FILE_UNREADABLE', `${file} (${(cause as Error).message})`, { cause })
  }
  const root = asFields(parse(file, text), file, 'it')
  const credHelpers = new Map<string, string>()
  for (const [key, helper] of asFields(root.get('credHelpers'), file, 'credHelpers')) {
    if (typeof helper !== 'string') throw broken(file, `credHelpers has no name of a helper for "${key}"`)
    credHelpers.set(key, helper)
  }
  const credsStore = root.get('credsStore')
  if (credsStore !== undefined && typeof credsStore !== 'string') throw broken(file, 'credsStore is no text')
  return { auths: asFields(root.get('auths'), file, 'auths'), credHelpers, credsStore }
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    // The message quotes the file, where a password may stand: only the place of the mistake is taken from it.
    const position = /at position (\d+)/.exec((error as Error).message)?.[1]
    const at = position === undefined ? undefined : createSourceText(file, text).range(Number(position))
    throw broken(at === undefined ? file : `${file}:${at.line}:${at.column}`, 'it is no valid JSON')
  }
}

function asFields(value: unknown, file: string, name: string): Map<string, unknown> {
  if (value === undefined || value === null) return new Map()
  if (typeof value !== 'object' || Array.isArray(value)) throw broken(file, `${name} is no object`)
  return new Map(Object.entries(value))
}

/** Keys are written with and without a scheme and Docker's old `/v1/`. */
function findByKey<T>(entries: ReadonlyMap<string, T>, keys: readonly string[]): T | undefined {
  const plain = new Map([...entries].map(([key, value]) => [plainKey(key), value]))
  for (const key of keys) {
    const value = entries.get(key) ?? plain.get(key)
    if (value !== undefined) return value
  }
  return undefined
}

function plainKey(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/(?:\/v[12])?\/?$/, '')
}

/** One of `auths`: user and password in Base64, or as fields, or a token. An empty one only says that a helper has it. */
function decodeEntry(entry: unknown, file: string): Credentials | undefined {
  const fields = asFields(entry, file, 'an entry of auths')
  const text = (name: string): string => {
    const value = fields.get(name) ?? ''
    if (typeof value !== 'string') throw broken(file, `${name} of an entry of auths is no text`)
    return value
  }
  if (text('identitytoken') !== '') return { kind: 'IdentityToken', token: text('identitytoken') }
  if (text('registrytoken') !== '') return { kind: 'RegistryToken', token: text('registrytoken') }
  if (text('auth') !== '') {
    const pair = Buffer.from(text('auth'), 'base64').toString().replace(/\0+$/, '')
    const colon = pair.indexOf(':')
    if (colon === -1) throw broken(file, 'auth of an entry of auths is not "user:password" in Base64')
    return credentialsOf(pair.slice(0, colon), pair.slice(colon + 1))
  }
  return text('username') === '' ? undefined : credentialsOf(text('username'), text('password'))
}

function broken(place: string, why: string): TowlineError {
  return new TowlineError('TL_FILE_UNREADABLE', `${place}: ${why}`, {
    hint: 'mend the file, or log in anew with `docker login`',
  })
}
