import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createHastyClock, createMemoryBlobs, openTestRegistry, randomBytes } from '../../../test/kit/registry-rig.ts'
import { type PlannedFault, planFaults } from '../../../test/kit/strict-registry/faults.ts'
import type { RegistryOptions as StrictOptions } from '../../../test/kit/strict-registry/options.ts'
import { startStrictRegistry } from '../../../test/kit/strict-registry/strict-registry.ts'
import { mediaTypes } from '../oci/descriptor.ts'
import { uploadBlob } from './blob-upload.ts'

const size = 300_000

async function upload(test: TestContext, strict: StrictOptions, plan: readonly PlannedFault[] = [], sizeBytes = size) {
  const server = await startStrictRegistry({ ...strict, faults: planFaults(plan) })
  const clock = createHastyClock()
  const registry = openTestRegistry(server.host, { clock })
  test.after(async () => {
    await registry.close()
    await server.close()
  })
  const blobs = createMemoryBlobs()
  const descriptor = blobs.add(mediaTypes.layerGzip, randomBytes(7, sizeBytes))
  const progress: number[] = []
  const report = await uploadBlob(registry, {
    repository: 'team/model',
    descriptor,
    blobs,
    mountFrom: [],
    signal: new AbortController().signal,
    onProgress: ({ sentBytes }) => progress.push(sentBytes),
  })
  assert.deepEqual(server.violations, [])
  assert.ok(server.hasBlob('team/model', descriptor.digest))
  return { server, report, progress, clock, received: server.received.get(descriptor.digest) ?? 0 }
}

test('a blob goes up as one body, and tells how far it is', async (t) => {
  const { server, report, progress, received } = await upload(t, { locations: 'Absolute' })
  assert.equal(received, size)
  assert.equal(report.sentBytes, size)
  assert.equal(progress.at(-1), size)
  assert.ok(progress.every((bytes, index) => bytes > (progress[index - 1] ?? 0)))
  assert.deepEqual(
    [...server.requests],
    [
      ['BlobHead', 1],
      ['UploadPost', 1],
      ['UploadPut', 1],
    ],
  )
})

test('an empty blob goes up too', async (t) => {
  const { report } = await upload(t, {}, [], 0)
  assert.equal(report.how, 'Uploaded')
})

test('what the registry says of parts is heeded', async (t) => {
  const { server, received } = await upload(t, { chunkMinBytes: 50_000, chunkMaxBytes: 80_000 })
  assert.equal(received, size)
  assert.equal(server.requests.get('UploadPatch'), 4)
  const whole = await upload(t, { chunkMinBytes: 50_000 })
  assert.equal(whole.server.requests.get('UploadPatch'), undefined)
})

test('a body that is too large for the registry or a proxy before it goes up in smaller parts', async (t) => {
  for (const strict of [{ maxBodyBytes: 100_000 }, { maxBodyBytes: 200_000, maxPatchBytes: 100_000 }]) {
    const { server, clock } = await upload(t, strict)
    // 150,000 bytes are too many, four times 75,000 are not.
    assert.equal(server.requests.get('UploadPatch'), 5)
    assert.deepEqual(clock.waitsMs, [])
  }
})

test('a cut connection is taken up where the registry stands, whole parts are not sent twice', async (t) => {
  const { received, report, clock } = await upload(t, {}, [
    { on: 'UploadPut', fault: { kind: 'CutRequest', afterBytes: 100_000 } },
    { on: 'UploadPatch', fault: { kind: 'CutRequest', afterBytes: 50_000 } },
  ])
  assert.equal(received, size)
  assert.ok(report.sentBytes >= size)
  assert.equal(clock.waitsMs.length, 2)
})

test('a registry that drops what was cut gets it all again', async (t) => {
  const { server } = await upload(t, { cutBodies: 'Dropped' }, [
    { on: 'UploadPut', fault: { kind: 'CutRequest', afterBytes: 100_000 } },
  ])
  assert.equal(server.requests.get('UploadPost'), 2)
})

test('where whole bodies are cut again and again, smaller parts are tried', async (t) => {
  const { server } = await upload(t, { cutBodies: 'Dropped' }, [
    { on: 'UploadPut', times: 2, fault: { kind: 'CutRequest', afterBytes: 0 } },
  ])
  assert.equal(server.requests.get('UploadPatch'), 2)
})

test('an upload that the registry forgot begins again', async (t) => {
  const { server } = await upload(t, { chunkMaxBytes: 80_000 }, [
    { on: 'UploadPatch', number: 3, fault: { kind: 'ForgetUpload' } },
    { on: 'UploadPut', fault: { kind: 'ForgetUpload' } },
  ])
  assert.equal(server.requests.get('UploadPost'), 3)
})

test('work that was done before the connection broke is not done again', async (t) => {
  const { server, received } = await upload(t, {}, [{ on: 'UploadPut', fault: { kind: 'CutBeforeAnswer' } }])
  assert.equal(received, size)
  assert.equal(server.requests.get('UploadPost'), 1)
  const parts = await upload(t, { chunkMaxBytes: 80_000 }, [
    { on: 'UploadPatch', number: 2, fault: { kind: 'CutBeforeAnswer' } },
  ])
  assert.equal(parts.received, size)
})

test('an upload that goes nowhere is given up after four tries, and taken back', async (t) => {
  const server = await startStrictRegistry({
    faults: planFaults([{ on: 'UploadPut', times: 99, fault: { kind: 'Status', status: 502 } }]),
  })
  const registry = openTestRegistry(server.host)
  t.after(async () => {
    await registry.close()
    await server.close()
  })
  const blobs = createMemoryBlobs()
  const descriptor = blobs.add(mediaTypes.layerGzip, randomBytes(7, 1000))
  const signal = new AbortController().signal
  const order = { repository: 'a/b', descriptor, blobs, mountFrom: [], signal, onProgress: () => undefined }
  await assert.rejects(uploadBlob(registry, order), {
    code: 'TL_REGISTRY_FAILED',
    message: /answered 502 .*the upload of sha256:\w+ \(1000 bytes\) to a\/b/,
  })
  assert.equal(server.requests.get('UploadPut'), 4)
  assert.equal(server.requests.get('UploadDelete'), 4)
})
