import { spawn } from 'node:child_process'

export interface ProgramOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Given to its standard input, which is empty otherwise. */
  readonly input?: string
  readonly timeoutMs?: number
}

export interface ProgramOutput {
  readonly out: string
  readonly err: string
}

/** Runs a program to its end, two minutes at most unless told. Another exit status than 0 is an error that holds what it printed. */
export async function runProgram(
  program: string,
  args: readonly string[],
  { cwd, env, input = '', timeoutMs = 120_000 }: ProgramOptions = {},
): Promise<ProgramOutput> {
  const child = spawn(program, args, { cwd, env: env ?? process.env, timeout: timeoutMs, killSignal: 'SIGKILL' })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk))
  // A program that ends without reading its input is judged by its exit status.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  child.once('error', reject)
  child.once('close', (code, signal) => resolve(String(code ?? signal)))
  const ending = await promise
  if (ending !== '0') throw new Error(`\`${[program, ...args].join(' ')}\` ended with ${ending}:\n${out}\n${err}`)
  return { out, err }
}
