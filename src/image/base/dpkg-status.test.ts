import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDpkgStatus, parseOsRelease } from './dpkg-status.ts'

test('installed packages are listed with version, architecture and source; removed ones are not', () => {
  const text = `Package: libstdc++6
Status: install ok installed
Architecture: amd64
Multi-Arch: same
Source: gcc-14 (14.2.0-19)
Version: 14.2.0-19
Description: GNU Standard C++ Library v3
 This package contains: lines that
 .
 Version: look like fields

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: held
Status: hold ok installed
version: 2:1.0~rc1+dfsg-3
Architecture: all

`
  assert.deepEqual(parseDpkgStatus(text), [
    { name: 'libstdc++6', version: '14.2.0-19', architecture: 'amd64', source: 'gcc-14 (14.2.0-19)' },
    { name: 'held', version: '2:1.0~rc1+dfsg-3', architecture: 'all' },
  ])
  assert.deepEqual(parseDpkgStatus(text.replaceAll('\n', '\r\n')), parseDpkgStatus(text))
})

test('a file of a distroless image says nothing of its status, and is installed', () => {
  assert.deepEqual(parseDpkgStatus('Package: tzdata\nVersion: 2025b-4\nArchitecture: all\n'), [
    { name: 'tzdata', version: '2025b-4', architecture: 'all' },
  ])
  assert.deepEqual(parseDpkgStatus(''), [])
  assert.deepEqual(parseDpkgStatus('no stanza at all'), [])
})

test('os-release is read as a shell reads it', () => {
  const text = '# comment\nPRETTY_NAME="Debian \\"GNU\\" 13"\nID=debian\nVERSION_ID=\'13\'\nNAME=x\n'
  assert.deepEqual(parseOsRelease(text), { id: 'debian', versionId: '13', prettyName: 'Debian "GNU" 13' })
  assert.deepEqual(parseOsRelease(''), {})
})
