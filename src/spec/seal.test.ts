import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inputsHash, type Lock, parseLock, renderLock } from './lock.ts'
import { sealDocument } from './seal.ts'

const digest = `sha256:${'a'.repeat(64)}`
const document = {
  apiVersion: 'towline.dev/v1alpha1',
  kind: 'ModelService',
  metadata: { name: 'cats' },
  spec: { model: { uri: './model' }, replicas: 2 },
}
const lock: Lock = {
  inputs: inputsHash(document),
  image: `reg.example.com/cats@${digest}`,
  model: { uri: 'oci://reg.example.com/cats-model', digest },
}
const listCodes = (found: readonly { readonly code: string }[]): string[] => found.map(({ code }) => code)
const codes = ({ findings }: ReturnType<typeof sealDocument>): string[] => listCodes(findings)

test('a lock fills in what it pins and leaves the rest as it is', () => {
  const sealed = sealDocument(document, lock)
  assert.deepEqual(sealed.findings, [])
  assert.deepEqual(sealed.document, {
    ...document,
    spec: { model: { uri: 'oci://reg.example.com/cats-model', digest }, replicas: 2, image: lock.image },
  })
  assert.deepEqual(sealDocument(sealed.document, undefined).document, sealed.document, 'a sealed document is sealed')
})

test('a fraction is text on a cluster; what a pod has of them stays', () => {
  const pod = { patch: { spec: { containers: [{ resources: { limits: { cpu: 0.5 } } }] } } }
  const spec = { ...document.spec, resources: { cpu: 1.5, cpuLimit: 2 }, env: [{ name: 'A', value: '0.5' }], pod }
  const sealed = sealDocument({ ...document, spec }, lock)
  assert.deepEqual(sealed.findings, [])
  assert.deepEqual((sealed.document as typeof document).spec, {
    ...spec,
    resources: { cpu: '1.5', cpuLimit: 2 },
    model: lock.model,
    image: lock.image,
  })
})

test('a lock of other inputs is stale; replicas are no input', () => {
  assert.deepEqual(codes(sealDocument({ ...document, spec: { model: { uri: './other' } } }, lock)), ['TL_LOCK_STALE'])
  assert.deepEqual(codes(sealDocument({ ...document, spec: { ...document.spec, replicas: 9 } }, lock)), [])
})

test('what may change and what lies on this machine is refused', () => {
  assert.deepEqual(codes(sealDocument(document, undefined)), ['TL_SEAL_LOCAL'])
  const spec = { model: { uri: 's3://models/cats' }, image: 'cats:latest', build: {} }
  assert.deepEqual(codes(sealDocument({ ...document, spec }, undefined)), ['TL_SEAL_UNLOCKED', 'TL_SEAL_UNLOCKED'])
  const built = { model: { uri: 's3://models/cats', digest }, build: {} }
  assert.deepEqual(codes(sealDocument({ ...document, spec: built }, undefined)), ['TL_SEAL_UNLOCKED'])
})

test('a lock reads back as it was written', async () => {
  const full: Lock = { ...lock, base: `debian@${digest}`, model: { uri: 'image:///models', digest } }
  for (const written of [full, { inputs: 'a' }])
    assert.deepEqual((await parseLock('towline.lock', Buffer.from(renderLock(written)))).lock, written)
})

test('a lock file is read strictly', async () => {
  const read = async (text: string) => parseLock('towline.lock', Buffer.from(text))
  assert.deepEqual((await read(JSON.stringify(lock))).lock, lock)
  assert.deepEqual(
    listCodes((await read('inputs: a\nimage: cats:1\nmodel: { digest: 1, path: x }\nmore: 1\n')).diagnostics),
    ['TL_LOCK_INVALID', 'TL_LOCK_INVALID', 'TL_LOCK_INVALID', 'TL_LOCK_INVALID'],
  )
  assert.deepEqual(listCodes((await read('image: [')).diagnostics).length > 0, true)
})
