import { once } from 'node:events'
import type { Namespaces } from './namespaces.ts'

/** Runs a program in the cluster's namespaces. Another exit status than 0 is an error that holds what it printed. */
export async function runToEnd(namespaces: Namespaces, program: string, args: readonly string[]): Promise<void> {
  const child = namespaces.spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 })
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (printed += text))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`\`${[program, ...args].join(' ')}\` ended with ${code}:\n${printed}`)
}
