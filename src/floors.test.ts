import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'

/** ARCHITECTURE.md's table: a folder imports only from lower floors, never from a sibling. Type-only imports count. */
const floors: readonly (readonly string[])[] = [
  ['base'],
  ['spec', 'oip', 'compat'],
  ['decide', 'observe', 'store', 'source'],
  ['net', 'lint', 'image', 'kube'],
  ['serve', 'render', 'bench'],
  ['engine', 'cluster'],
  ['operator'],
  ['control'],
  ['cli'],
]
const bannedNames = /^(utils?|helpers?|common|misc|types|managers?|services?)$/
/** The noun itself: what a resolved `ModelService` is. */
const namedRightly = ['spec/service.ts']
const maxLines = 400
const maxFilesInFolder = 15

const root = import.meta.dirname
const files = globSync('**/*.ts', { cwd: root, exclude: ['floors.test.ts'] }).toSorted()
const read = (file: string): string => readFileSync(join(root, file), 'utf8')

function floorOf(file: string): number {
  const folder = file.split('/')[0] ?? ''
  const floor = floors.findIndex((names) => names.includes(folder))
  // `index.ts` and this test stand on the roof.
  return floor === -1 && !file.includes('/') ? floors.length : floor
}

function findForbiddenImports(file: string, text: string): string[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)]
    .map(([, target = '']) => relative(root, join(root, dirname(file), target)))
    .filter((target) => {
      if (target.startsWith('..')) return !file.endsWith('.test.ts') || !target.startsWith('../test/')
      return target.split('/')[0] !== file.split('/')[0] && floorOf(target) >= floorOf(file)
    })
    .map((target) => `${file} -> ${target}`)
}

test('every folder has a floor, and imports only from floors below its own', () => {
  assert.ok(files.length > 20, 'the test must see the sources')
  assert.deepEqual(
    files.filter((file) => floorOf(file) === -1),
    [],
  )
  assert.deepEqual(
    files.flatMap((file) => findForbiddenImports(file, read(file))),
    [],
  )
})

test('an upward, a sideways and an outward import would be found', () => {
  const planted = [
    "import type { A } from '../cli/main.ts'",
    "export { b } from '../oip/tensor.ts'",
    "const c = await import('../../benchmarks/serve.ts')",
  ].join('\n')
  assert.deepEqual(findForbiddenImports('spec/service.ts', planted), [
    'spec/service.ts -> cli/main.ts',
    'spec/service.ts -> oip/tensor.ts',
    'spec/service.ts -> ../benchmarks/serve.ts',
  ])
  assert.deepEqual(findForbiddenImports('cli/up.ts', "import { A } from '../spec/service.ts'"), [])
})

test('no file is longer than a person reads at once', () => {
  assert.deepEqual(
    files.filter((file) => read(file).split('\n').length > maxLines),
    [],
  )
})

test('no file or folder has a name that says nothing', () => {
  const named = files.filter((file) => !namedRightly.includes(file))
  assert.deepEqual(
    named.filter((file) => file.split('/').some((part) => bannedNames.test(part.split('.')[0] ?? ''))),
    [],
  )
})

test('no folder holds more files than a person can overlook', () => {
  const inFolder = Map.groupBy(
    files.filter((file) => !file.endsWith('.test.ts')),
    (file) => dirname(file),
  )
  assert.deepEqual(
    [...inFolder]
      .filter(([, members]) => members.length > maxFilesInFolder)
      .map(([folder, members]) => `${folder}: ${members.length}`),
    [],
  )
})
