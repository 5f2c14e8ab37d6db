import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { describeLicense } from './license.ts'
import { spdxIds } from './spdx-ids.ts'

test('a licence of the SPDX list is an id, also a deprecated one', () => {
  for (const id of ['MIT', 'Apache-2.0', 'GPL-2.0+', 'BlueOak-1.0.0'])
    assert.deepEqual(describeLicense(` ${id} `), [{ license: { id } }])
})

test('several licences of the list are an expression', () => {
  for (const expression of [
    '(MIT OR Apache-2.0)',
    'Apache-2.0 AND LGPL-3.0-or-later AND MIT',
    '((MIT)) OR (BSD-2-Clause AND (ISC OR 0BSD))',
    'GPL-2.0-only WITH Classpath-exception-2.0 OR MIT',
    'MPL-1.1+ OR LicenseRef-own.1',
    'DocumentRef-list:LicenseRef-own',
    '(MIT)',
  ])
    assert.deepEqual(describeLicense(expression), [{ expression }], expression)
})

test('everything else keeps its words as a name', () => {
  for (const name of [
    'SEE LICENSE IN LICENSE.md',
    'UNLICENSED',
    'mit',
    'MIT/X11',
    'MIT OR',
    'OR MIT',
    'MIT Apache-2.0',
    'MIT AND (ISC',
    'MIT) AND (ISC',
    'MIT () ISC',
    'MIT or ISC',
    'MIT OR Unheard-Of-1.0',
    'GPL-2.0-only WITH Classpath-exception-2.0 WITH LLVM-exception',
    '(MIT OR ISC) WITH LLVM-exception',
    'WITH',
    '()',
  ])
    assert.deepEqual(describeLicense(name), [{ license: { name } }], name)
})

test('the ids are those of the schema of CycloneDX', () => {
  const schema = import.meta.resolve('@cyclonedx/cyclonedx-library/package.json')
  const spdx = JSON.parse(readFileSync(new URL('res/schema/spdx.SNAPSHOT.schema.json', schema), 'utf8')) as {
    readonly enum: readonly string[]
  }
  assert.deepEqual([...spdxIds].toSorted(), spdx.enum.toSorted())
})
