import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileRule, isKept, layerRecipes } from './recipe.ts'
import { packagesOf, readRuntimeLock } from './runtime-lock.ts'

const keeps = (name: string, path: string): boolean => isKept(fileRule(name, 'x64'), path)

test('code, native code and licences are kept; types, maps, tests and documents are not', () => {
  for (const path of ['index.js', 'lib/deep/a.cjs', 'package.json', 'LICENSE', 'LICENSE.md', 'build/x.node'])
    assert.ok(keeps('pino', path), path)
  for (const path of ['index.d.ts', 'a.js.map', 'test/a.js', 'docs/b.js', 'README.md', 'tsconfig.json', 'src/a.ts'])
    assert.ok(!keeps('pino', path), path)
})

test('of the runtime only the files of one platform are kept', () => {
  assert.ok(keeps('onnxruntime-node', 'bin/napi-v6/linux/x64/libonnxruntime.so.1'))
  for (const other of ['linux/arm64', 'darwin/arm64', 'win32/x64'])
    assert.ok(!keeps('onnxruntime-node', `bin/napi-v6/${other}/onnxruntime_binding.node`), other)
  assert.ok(keeps('@img/sharp-libvips-linux-x64', 'lib/libvips-cpp.so.8.18.7'))
})

test('every layer has packages on both platforms, each in one layer and with a hash', () => {
  const { lock } = readRuntimeLock()
  for (const platform of ['linux/amd64', 'linux/arm64'])
    for (const { name } of layerRecipes) assert.ok(packagesOf(lock, name, platform).length > 0, `${name} ${platform}`)
  assert.equal(new Set(lock.packages.map(({ path }) => path)).size, lock.packages.length)
  for (const { name, integrity } of lock.packages) assert.match(integrity, /^sha512-[A-Za-z0-9+/]{86}==$/, name)
})
