import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatPurl, npmPurl } from './purl.ts'

test('names of packages are written as the package URL specification writes them', () => {
  assert.equal(npmPurl('foobar', '12.3.1'), 'pkg:npm/foobar@12.3.1')
  assert.equal(npmPurl('@angular/animation', '12.3.1'), 'pkg:npm/%40angular/animation@12.3.1')
  assert.equal(npmPurl('yaml', '3.0.0-0+a'), 'pkg:npm/yaml@3.0.0-0%2Ba')
  assert.equal(
    formatPurl({
      type: 'deb',
      namespace: 'debian',
      name: 'libstdc++6',
      version: '1:14.2.0-19~x',
      qualifiers: { distro: 'debian-13', arch: 'amd64', upstream: 'gcc-14', none: undefined },
    }),
    'pkg:deb/debian/libstdc%2B%2B6@1:14.2.0-19~x?arch=amd64&distro=debian-13&upstream=gcc-14',
  )
  assert.equal(
    formatPurl({ type: 'oci', name: 'debian', version: 'sha256:ab', qualifiers: { repository_url: 'ghcr.io/debian' } }),
    'pkg:oci/debian@sha256:ab?repository_url=ghcr.io%2Fdebian',
  )
  assert.equal(
    formatPurl({ type: 'generic', namespace: '/a//b/', name: "(it's)!*", version: '' }),
    'pkg:generic/a/b/%28it%27s%29%21%2A',
  )
})

test('whatever a part holds, it is read back from the same place', () => {
  const part = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(part, part, part, (name, version, value) => {
      const purl = formatPurl({ type: 'generic', name, version, qualifiers: { key: value } })
      const [, ...parts] = /^pkg:generic\/([^/?@]+)@([^/?@]+)\?key=([^/?@&=]+)$/.exec(purl) ?? []
      assert.deepEqual(parts.map(decodeURIComponent), [name, version, value])
      assert.match(purl, /^[\w\-.~:%/@?=]+$/)
    }),
    { numRuns: 30 },
  )
})
