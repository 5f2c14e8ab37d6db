import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { writeManifests } from './write-manifests.ts'

const odd = [
  'on',
  'y',
  '0o7',
  '010',
  '12:30',
  '1e3',
  '.5',
  '~',
  '=',
  '<<',
  '2020-01-01',
  '\u0085',
  'a\u2028b',
  'a\nb\n',
  '',
]

test('text stays text for readers of either YAML', () => {
  const written = writeManifests([{ odd }, { odd: odd.toReversed() }])
  for (const version of ['1.1', '1.2'] as const) {
    const read = parseAllDocuments(written, { version }).map((document): unknown => document.toJS())
    assert.deepEqual(read, [{ odd }, { odd: odd.toReversed() }])
  }
})

test('words stay without quotes, and nothing in it ends a line that is none', () => {
  assert.equal(
    writeManifests([{ kind: 'Service', at: '0o7', end: 'a\u2028b' }]),
    '---\nkind: Service\nat: "0o7"\nend: "a\\Lb"',
  )
})
