/**
 * Runs inside a cluster's network and accepts on listeners of the machine's, which the test hands over: what arrives on one is passed
 * on, byte for byte, to an address that only exists inside.
 */
import { type Server, type Socket, connect } from 'node:net'
import type { RelayOrder } from './relay.ts'

process.on('message', ({ host, port }: RelayOrder, listener: Server) => {
  listener.on('connection', (downstream: Socket) => {
    const upstream = connect({ host, port, allowHalfOpen: true, noDelay: true })
    downstream.allowHalfOpen = true
    downstream.setNoDelay(true)
    downstream.pipe(upstream).pipe(downstream)
    // Whatever happens to one side happens to the other: nobody may take a broken answer for a whole one.
    downstream.on('error', () => upstream.resetAndDestroy())
    upstream.on('error', () => downstream.resetAndDestroy())
  })
  process.send?.('accepting')
})
process.on('disconnect', () => process.exit())
