import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { TowlineError } from '../../base/errors.ts'
import { type Credentials, credentialsOf } from './credentials.ts'

export interface HelperContext {
  readonly env: Readonly<Record<string, string | undefined>>
  /** That names the helper, for messages. */
  readonly file: string
  readonly timeoutMs?: number
}

/** A person may have to unlock a key store. */
const defaultTimeoutMs = 60_000
const maxOutputBytes = 64 << 10

/**
 * Asks `docker-credential-<name> get` for the login at a server; undefined when it has none. TL_FILE_MISSING when there is no
 * such program, TL_FILE_UNREADABLE when it fails. What it prints is in no message: it may be the secret.
 */
export async function askHelper(
  name: string,
  server: string,
  { env, file, timeoutMs = defaultTimeoutMs }: HelperContext,
): Promise<Credentials | undefined> {
  if (!/^[a-z0-9][a-z0-9._-]*$/i.test(name))
    throw new TowlineError('TL_FILE_UNREADABLE', `${file} names the credential helper "${name.slice(0, 80)}"`, {
      hint: 'it is named without the folder and without docker-credential-',
    })
  const program = `docker-credential-${name}`
  const path = findProgram(program, env['PATH'] ?? '')
  if (path === undefined)
    throw new TowlineError('TL_FILE_MISSING', `${program}, which ${file} names, is not on the PATH`, {
      hint: `install it, or take it out of ${file} and log in anew`,
    })
  const { code, output } = await run(path, server, env, timeoutMs)
  const fail = (why: string): TowlineError =>
    new TowlineError('TL_FILE_UNREADABLE', `the login for ${server}: ${program} ${why}`, {
      hint: `try it: echo ${server} | ${program} get`,
    })
  if (code === 'Late') throw fail(`gave no answer within ${timeoutMs} ms`)
  if (code === 'Endless') throw fail(`printed more than ${maxOutputBytes} bytes`)
  if (code !== '0') {
    if (/credentials not found/i.test(output)) return undefined
    throw fail(`ended with code ${code}`)
  }
  const answer = parseAnswer(output)
  if (answer === undefined) throw fail('answered something other than {"Username", "Secret"}')
  return answer.username === '' && answer.secret === '' ? undefined : credentialsOf(answer.username, answer.secret)
}

function parseAnswer(output: string): { readonly username: string; readonly secret: string } | undefined {
  try {
    const { Username: username, Secret: secret } = JSON.parse(output) as { Username?: unknown; Secret?: unknown }
    return typeof username === 'string' && typeof secret === 'string' ? { username, secret } : undefined
  } catch {
    return undefined
  }
}

async function run(
  path: string,
  server: string,
  env: HelperContext['env'],
  timeoutMs: number,
): Promise<{ readonly code: string; readonly output: string }> {
  const { promise, resolve } = Promise.withResolvers<{ code: string; output: string }>()
  const child = spawn(path, ['get'], { env, stdio: ['pipe', 'pipe', 'ignore'] })
  let output = ''
  const end = (code: string): void => {
    child.kill('SIGKILL')
    // A child of its own may still hold the pipe open.
    child.stdout.destroy()
    resolve({ code, output: '' })
  }
  const timer = setTimeout(end, timeoutMs, 'Late')
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    if (output.length > maxOutputBytes) end('Endless')
  })
  child.once('error', (error: NodeJS.ErrnoException) => resolve({ code: error.code ?? error.name, output: '' }))
  child.once('close', (code, signal) => resolve({ code: String(code ?? signal), output }))
  // It may end without reading.
  child.stdin.on('error', () => undefined).end(`${server}\n`)
  try {
    return await promise
  } finally {
    clearTimeout(timer)
  }
}

function findProgram(program: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, program))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}
