import type { TestContext } from 'node:test'
import { TowlineError } from '../../../src/base/errors.ts'
import { askingSentences } from './asking-sentences.ts'
import { commandSentences } from './command-sentences.ts'
import type { BehaviourPlace } from './place.ts'
import { revisionSentences } from './revision-sentences.ts'
import { stays } from './sentence.ts'
import { sizeSentences } from './size-sentences.ts'

const sentences = [...sizeSentences, ...revisionSentences, ...askingSentences, ...commandSentences]

/** Each sentence on a service of its own, which is taken down afterwards. */
export async function holdSentences(t: TestContext, place: BehaviourPlace): Promise<void> {
  await place.apply(stays, { replicas: 1 })
  for (const [index, { name, needs, hold }] of sentences.entries()) {
    const service = `cats-${index + 1}`
    const lack = needs === undefined ? undefined : place.ways.lacks[needs]
    await t.test(name, { skip: lack ?? false }, async () => {
      try {
        await hold(place, service)
      } finally {
        await place.control.remove(service).catch(passUnknown)
      }
    })
  }
}

/** It is gone already, or never was. */
function passUnknown(error: unknown): void {
  if (!(error instanceof TowlineError) || error.code !== 'TL_SERVICE_UNKNOWN') throw error
}
