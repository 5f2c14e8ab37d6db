import { BlockList, isIP } from 'node:net'

/** What the text of a host says about where it lies. Names are not looked up. */

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8)
loopback.addAddress('::1', 'ipv6')

const inside = new BlockList()
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  inside.addSubnet(network, bits)
inside.addAddress('::', 'ipv6')
inside.addAddress('::1', 'ipv6')
inside.addSubnet('fc00::', 7, 'ipv6')
inside.addSubnet('fe80::', 10, 'ipv6')

/** `localhost` and what is below it, 127.0.0.0/8, ::1. `host` as in `URL.hostname`: IPv6 in brackets, no port. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || isIn(loopback, host)
}

/** An address, written as such, that leads into this machine or a private network, e.g. where clouds answer with keys. */
export function isPrivateAddress(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || isIn(inside, host)
}

function isIn(list: BlockList, host: string): boolean {
  const address = host.replace(/^\[|\]$/g, '')
  const family = isIP(address)
  // An IPv4 address inside an IPv6 one counts as what it is: `BlockList` looks at both.
  return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6')
}
