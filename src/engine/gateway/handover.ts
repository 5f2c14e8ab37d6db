import type { ChildProcess } from 'node:child_process'
import { Server as NetServer } from 'node:net'
import { pathToFileURL } from 'node:url'
import { TowlineError } from '../../base/errors.ts'
import { type ProcessIdentity, identifyProcess } from '../../base/process/process-identity.ts'
import { spawnDetached } from '../supervised-process.ts'
import { type GatewayRoute, type Succession, gatewayNodeFlags } from './gateway-config.ts'
import type { Route } from './route.ts'
import type { RouteTable } from './route-table.ts'

/**
 * A gateway gives its place to another process: first the listening sockets, one message each, then `Complete`; the other one
 * answers `Serving`. Both accept from the same sockets for a moment, so that no connection is ever turned away or lost in a
 * queue that nobody reads.
 */
type Heirloom = { readonly kind: 'Route'; readonly settings: GatewayRoute } | { readonly kind: 'Complete' }

/** A start takes a fraction of a second; a machine that is busy gets more. */
const successionMs = 15_000

/** Resolves once the new process serves. When it fails it is ended, and this one goes on as before. */
export async function bequeathRoutes(
  { entry, configFile, stderrFile }: Succession,
  routes: readonly Route[],
): Promise<ProcessIdentity> {
  const program = { entry: pathToFileURL(entry), nodeFlags: gatewayNodeFlags, configFile, stderrFile }
  const launch = { ...program, cwd: process.cwd(), env: process.env }
  const child = spawnDetached(launch, { channel: true })
  const serving = Promise.withResolvers<void>()
  const fail = (why: string): void =>
    serving.reject(
      new TowlineError('TL_ENGINE_START', `the new gateway ${why}`, { hint: `${stderrFile} may say more` }),
    )
  child.once('error', (error) => fail(`did not start: ${error.message}`))
  child.once('exit', (code, signal) => fail(`ended at its start (${signal ?? `exit code ${code}`})`))
  child.once('message', () => serving.resolve())
  const limit = setTimeout(() => fail(`did not serve within ${successionMs} ms`), successionMs)
  try {
    // A child that dies while it is being told never confirms what was sent: its end is what is heard of then.
    const told = sendAll(child, routes)
    await Promise.race([told, serving.promise])
    await serving.promise
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  } finally {
    clearTimeout(limit)
    if (child.connected) child.disconnect()
  }
  const identity = child.pid === undefined ? undefined : identifyProcess(child.pid)
  if (identity === undefined) throw new TowlineError('TL_ENGINE_START', 'the new gateway has ended already')
  return identity
}

async function sendAll(child: ChildProcess, routes: readonly Route[]): Promise<void> {
  for (const { settings, listener } of routes) await send(child, { kind: 'Route', settings }, listener)
  await send(child, { kind: 'Complete' })
}

/** A failed send has its cause in the child, which is reported by whoever waits for it: here it only ends the sending. */
async function send(child: ChildProcess, heirloom: Heirloom, listener?: NetServer): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  child.send(heirloom, listener, {}, () => resolve())
  await promise
}

/** The channel to the gateway that started this process. */
export interface Predecessor {
  readonly channel: NodeJS.Process
  /** Says that this process serves. */
  leave(): void
}

/** Undefined when the engine started this process. */
export function connectPredecessor(channel: NodeJS.Process): Predecessor | undefined {
  if (!channel.connected) return undefined
  return {
    channel,
    leave: () => {
      channel.send?.({ kind: 'Serving' }, undefined, {}, () => channel.connected && channel.disconnect())
    },
  }
}

/** Rejects when the other process ends before it has given all: the sockets went with it, or it keeps them. */
export async function inheritRoutes({ channel }: Predecessor, table: RouteTable): Promise<void> {
  const complete = Promise.withResolvers<void>()
  const opened: Promise<void>[] = []
  const onMessage = (message: unknown, listener?: unknown): void => {
    const heirloom = message as Heirloom // our own words, of whatever version: what is missing shows below
    if (heirloom.kind === 'Complete') return complete.resolve()
    // Its connections are accepted from this very moment on: the route must be there before anything else happens.
    if (heirloom.kind === 'Route' && listener instanceof NetServer)
      opened.push(table.inherit(heirloom.settings, listener))
  }
  const onDisconnect = (): void =>
    complete.reject(new TowlineError('TL_ENGINE_START', 'the gateway before this one ended while it handed over'))
  channel.on('message', onMessage)
  channel.once('disconnect', onDisconnect)
  try {
    await complete.promise
    await Promise.all(opened)
  } finally {
    channel.off('message', onMessage)
    channel.off('disconnect', onDisconnect)
  }
}
