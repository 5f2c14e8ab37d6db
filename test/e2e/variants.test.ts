import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Replica } from '../../src/serve/replica.ts'
import { collect, createProject, example, start } from '../kit/command.ts'
import { openTestReplica } from '../kit/replica-rig.ts'

interface Top {
  readonly label: string
  readonly index: number
  readonly prob: number
}
interface Answer {
  readonly outputs: readonly { readonly name: string; readonly data: readonly (string | number)[] }[]
}

/** The versions of the example's model that the guide of rollouts shows, made into the test's own folder. */
async function makeVariants(t: TestContext): Promise<(name: string) => Promise<Replica & { url: string }>> {
  const folder = createProject(t)
  const made = await collect(start([folder], { entry: join(example, 'variants.mjs') }))
  assert.equal(made.code, 0, made.err)
  return (name) => openTestReplica(t, name, { modelPath: join(folder, name) })
}

const openOriginal = (t: TestContext): Promise<Replica & { url: string }> =>
  openTestReplica(t, 'model', { modelPath: join(example, 'model') })

const send = (url: string, photo: string, query = ''): Promise<Response> =>
  fetch(`${url}/v2/models/m/infer${query}`, {
    method: 'POST',
    body: new Uint8Array(readFileSync(join(example, 'photos', photo))),
    headers: { 'content-type': 'image/jpeg' },
  })

async function classify(url: string, photo: string, query = '') {
  const answer = await send(url, photo, query)
  const text = await answer.text()
  assert.equal(answer.status, 200, text)
  const { outputs } = JSON.parse(text) as Answer
  const data = (name: string) => outputs.find((output) => output.name === name)?.data ?? assert.fail(name)
  return { labels: data('labels'), indices: data('indices').map(Number), scores: data('scores').map(Number) }
}

/** The quickest of a few runs: whatever else the machine does only makes a run longer. */
async function measureRun({ model: { runtime } }: Replica): Promise<number> {
  const timesMs: number[] = []
  for (let run = 0; run < 5; run++) {
    const data = new Float32Array(3 * 224 * 224)
    const input = { name: 'input', datatype: 'FP32', shape: [1, 3, 224, 224], data } as const
    timesMs.push((await runtime.run({ inputs: [input], outputs: ['logits'], rows: 1 })).inferenceMs)
  }
  return Math.min(...timesMs)
}

test('the int8 version gives the answers of the expected table', async (t) => {
  const open = await makeVariants(t)
  const { url } = await open('int8')
  const { photos } = JSON.parse(readFileSync(join(example, 'expected.json'), 'utf8')) as {
    readonly photos: Readonly<Record<string, { readonly int8?: readonly Top[] }>>
  }
  for (const photo of ['chelsea.jpg', 'coffee.jpg', 'china.jpg']) {
    const { indices, scores } = await classify(url, photo, '?top_k=1000')
    for (const { index, label, prob } of photos[photo]?.int8 ?? assert.fail(photo)) {
      const seen = scores[indices.indexOf(index)] ?? assert.fail(`${photo}: no class ${index}`)
      assert.ok(Math.abs(seen - prob) <= 0.08, `${photo}: ${label} ${seen}, expected ${prob}`)
    }
  }
})

test('the version with wrong labels is as sure as the original, of the label one line below', async (t) => {
  const open = await makeVariants(t)
  const [right, wrong] = [await openOriginal(t), await open('wrong-labels')]
  const [expected, seen] = [await classify(right.url, 'coffee.jpg'), await classify(wrong.url, 'coffee.jpg')]
  assert.deepEqual([expected.labels[0], seen.labels[0]], ['espresso', 'cup'])
  assert.deepEqual([seen.indices, seen.scores], [expected.indices, expected.scores])
  const labels = readFileSync(join(example, 'model', 'labels.txt'), 'utf8')
    .trimEnd()
    .split('\n')
  assert.deepEqual(
    seen.labels,
    expected.indices.map((index) => labels[(index + 1) % labels.length]),
  )
})

test('the slow version gives the same answers, several times as slow', async (t) => {
  const open = await makeVariants(t)
  const [quick, slow] = [await openOriginal(t), await open('slow')]
  assert.deepEqual(slow.model.signature, quick.model.signature)
  for (const photo of ['chelsea.jpg', 'china.jpg'])
    assert.deepEqual(await classify(slow.url, photo), await classify(quick.url, photo))
  const [quickMs, slowMs] = [await measureRun(quick), await measureRun(slow)]
  assert.ok(slowMs > 4 * quickMs, `${slowMs} ms against ${quickMs} ms`)
})

test('the erroring version becomes ready, answers most photos as the original does, and fails on a bright one', async (t) => {
  const open = await makeVariants(t)
  const [sound, erroring] = [await openOriginal(t), await open('erroring')]
  assert.equal((await fetch(`${erroring.url}/v2/health/ready`)).status, 200)
  assert.deepEqual(erroring.model.signature, sound.model.signature)
  for (const photo of ['coffee.jpg', 'chelsea.jpg', 'rocket.jpg'])
    assert.deepEqual(await classify(erroring.url, photo), await classify(sound.url, photo))
  const failed = await send(erroring.url, 'china.jpg')
  assert.equal(failed.status, 500)
  assert.match(await failed.text(), /The model failed on this input.*cannot be reshaped/)
})
