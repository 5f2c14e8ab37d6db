import assert from 'node:assert/strict'
import { TowlineError } from '../../../src/base/errors.ts'
import { isCalm, until } from './place.ts'
import { type Sentence, stays, two } from './sentence.ts'

/** What a place tells, and what it does not know. */
export const askingSentences: readonly Sentence[] = [
  {
    name: 'what happened is told in order of time, of this service alone, and as many as asked for',
    hold: async (place, service) => {
      await place.apply(service, two)
      await place.control.scale(service, 1)
      await until(place, service, (status) => isCalm(status) && status.replicas.desired === 1)
      const all = await place.control.events(service, 100)
      assert.ok(all.length > 2, JSON.stringify(all))
      assert.deepEqual(
        // The gateway of an engine is everyone's.
        all.filter((event) => (event.service ?? service) !== service || event.reason === '' || event.message === ''),
        [],
      )
      assert.deepEqual(
        all.map(({ atMs }) => atMs),
        all.map(({ atMs }) => atMs).toSorted((a, b) => a - b),
      )
      const last = await place.control.events(service, 2)
      assert.equal(last.length, 2)
    },
  },
  {
    name: 'a figure that nobody knows is not known, and never zero',
    hold: async (place, service) => {
      await place.apply(service, two)
      const { instances } = await until(place, service, isCalm)
      const load = (await place.control.load()).services.find(({ name }) => name === service)
      assert.deepEqual(load?.replicas, { desired: 2, ready: 2 })
      assert.deepEqual(
        load.instances.map(({ name }) => name),
        instances.map(({ name }) => name),
      )
      for (const { cpuMs, memoryBytes, inFlight, requests } of load.instances)
        if (place.ways.figures === 'Unknown')
          assert.deepEqual([cpuMs, memoryBytes, inFlight, requests], [null, null, null, null])
        else assert.ok((cpuMs ?? 0) > 0 && (memoryBytes ?? 0) > 0)
    },
  },
  {
    name: 'the model is asked through the place',
    needs: 'answers',
    hold: async (place, service) => {
      await place.apply(service, two)
      const body = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: [5.1, 3.5, 1.4, 0.2] }] }
      const payload = { bytes: Buffer.from(JSON.stringify(body)), type: 'application/json' }
      const { status, body: answer } = await place.control.infer(service, payload, { timeoutMs: 3000 })
      assert.deepEqual([status, (answer as { readonly model_name?: unknown }).model_name], [200, service])
    },
  },
  {
    name: 'a service that is not there is refused whatever is asked, and the message names those that are',
    hold: async ({ control }, service) => {
      const payload = { bytes: Buffer.from('{}'), type: 'application/json' }
      const asked: Record<string, () => Promise<unknown>> = {
        scale: async () => await control.scale(service, 2),
        restart: async () => await control.order(service, { verb: 'Restart' }),
        rollback: async () => await control.order(service, { verb: 'Rollback', from: null, to: null }),
        abort: async () => await control.order(service, { verb: 'Abort', plan: null }),
        history: async () => await control.history(service),
        remove: async () => await control.remove(service),
        watch: async () => await control.watch(service, AbortSignal.timeout(5000)).next(),
        infer: async () => await control.infer(service, payload, { timeoutMs: 3000 }),
      }
      for (const [what, ask] of Object.entries(asked))
        await assert.rejects(
          ask(),
          (error) => {
            assert.ok(error instanceof TowlineError && error.code === 'TL_SERVICE_UNKNOWN', `${what}: ${String(error)}`)
            assert.match(`${error.message} ${error.hint ?? ''}`, new RegExp(`${service}.*${stays}`), what)
            return true
          },
          what,
        )
    },
  },
]
