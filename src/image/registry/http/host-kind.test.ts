import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLoopbackHost, isPrivateAddress } from './host-kind.ts'

const nameOf = (host: string): string => new URL(`http://${host}`).hostname

test('this machine is known under all its names', () => {
  for (const host of [
    'localhost',
    'a.localhost',
    '127.0.0.1',
    '127.9.9.9',
    '[::1]',
    '0x7f.1',
    '2130706433',
    '[::ffff:127.0.0.1]',
  ])
    assert.equal(isLoopbackHost(nameOf(host)), true, host)
  for (const host of ['localhost.example.com', '10.0.0.1', '128.0.0.1', '[::2]', 'example.com'])
    assert.equal(isLoopbackHost(nameOf(host)), false, host)
})

test('addresses of private networks are known, names are not looked up', () => {
  for (const host of [
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '[fd00::1]',
    '[fe80::1]',
    '[::ffff:a9fe:a9fe]',
    'localhost',
  ])
    assert.equal(isPrivateAddress(nameOf(host)), true, host)
  for (const host of ['8.8.8.8', '172.32.0.1', '100.128.0.1', '[2001:4860::1]', 'metadata.example.com'])
    assert.equal(isPrivateAddress(nameOf(host)), false, host)
})
