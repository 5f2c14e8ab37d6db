import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { hasErrno } from '../base/errors.ts'
import { openSocketPath } from './socket-path.ts'

test('a path within the limit stays as it is', () => {
  const path = `/${'a'.repeat(106)}`
  assert.equal(openSocketPath(path).path, path)
})

test('the limit counts bytes, not characters', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'towline-socket-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const opened = openSocketPath(join(folder, 'ä'.repeat(60)))
  assert.match(opened.path, /^\/proc\/self\/fd\/\d+\/ä+$/)
  opened.close()
})

test('a long path can be listened on and connected to, and no descriptor stays open', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'towline-socket-'))
  t.after(() => rmSync(root, { recursive: true }))
  const folder = join(root, 'deep'.repeat(40))
  mkdirSync(folder)
  const path = join(folder, 'x.sock')

  const bound = openSocketPath(path)
  const server = createServer((socket) => socket.end()).listen(bound.path)
  await once(server, 'listening')
  bound.close()
  assert.ok(existsSync(path), 'the socket lies where it was asked for')

  const reached = openSocketPath(path)
  const socket = connect(reached.path).resume()
  await once(socket, 'connect')
  reached.close()
  await once(socket, 'close')
  server.close()
  await once(server, 'close')
  assert.deepEqual(openDescriptors(folder), [])
})

function openDescriptors(folder: string): string[] {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === folder
    } catch {
      return false // The descriptor of this very listing, closed since.
    }
  })
}

test('a long path in a folder that is not there fails as any missing file does', () => {
  assert.throws(
    () => openSocketPath(`/${'nowhere'.repeat(20)}/x.sock`),
    (error) => hasErrno(error, 'ENOENT'),
  )
})
