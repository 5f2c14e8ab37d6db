import type { Scope } from '../scope.ts'
import { runProgram } from '../containers/program.ts'
import { type Namespaces, openNamespaces } from './namespaces.ts'
import { runToEnd } from './run-inside.ts'

/** Of a real node; programs of the cluster live on the first. */
export function addressOf(number: number): string {
  return `10.199.0.${number}`
}

/** Of its pods. */
export function podsOf(number: number): string {
  return `10.245.${number - 1}.0/24`
}

/**
 * The machine of a second node: namespaces whose link leads to those of the first, and each knows the way to the other's pods. Its
 * processes end with it, as on a machine of its own.
 */
export async function openSecondMachine(test: Scope, first: Namespaces): Promise<Namespaces> {
  const second = await openNamespaces(test, addressOf(2))
  const ip = (machine: Namespaces, ...args: string[]): Promise<void> => runToEnd(machine, 'ip', args)
  await ip(second, 'link', 'delete', 'node0')
  // The far end of the first one's link. From outside: neither sees processes of the other.
  const give = ['ip', 'link', 'set', 'node1', 'netns', String(second.first), 'name', 'node0']
  await runProgram('nsenter', ['--target', String(first.first), '--net', '--', ...give])
  await ip(second, 'address', 'add', `${addressOf(2)}/24`, 'dev', 'node0')
  await ip(second, 'link', 'set', 'node0', 'up')
  await ip(second, 'route', 'add', 'default', 'dev', 'node0')
  await ip(second, 'route', 'add', podsOf(1), 'via', addressOf(1))
  await ip(first, 'route', 'add', podsOf(2), 'via', addressOf(2))
  return second
}
