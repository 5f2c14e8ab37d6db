import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { startEngine } from '../../../src/control/client.ts'
import { findProcesses } from '../../../src/engine/adoption.ts'
import { projectPaths } from '../../../src/engine/paths.ts'
import { createProject, root } from '../../kit/command.ts'
import { type BehaviourPlace, type Wish, isCalm, until } from './place.ts'

const models = join(root, 'test', 'models')

/** An engine in a folder of its own, as on a laptop. */
export async function openEnginePlace(t: TestContext): Promise<BehaviourPlace> {
  const folder = createProject(t)
  const control = await startEngine(folder)
  return {
    control,
    ways: {
      rollback: 'OldNumber',
      rejectedAgain: 'Refused',
      givenUp: 'Degraded',
      steps: 'Taken',
      figures: 'Known',
      lacks: {},
    },
    flags: ['--project', folder],
    env: {},
    apply: async (name, wish) => {
      await control.apply(name, { document: writeDocument(name, wish), file: join(folder, 'towline.yaml'), port: 0 })
      await until({ control }, name, isCalm)
    },
    readColours: async (name) => {
      const { instances } = await until({ control }, name, isCalm)
      return instances.map(
        ({ pid }) => /\0COLOUR=(\w*)\0/.exec(readFileSync(`/proc/${pid}/environ`, 'utf8'))?.[1] ?? '',
      )
    },
    listRest: async ({ instances, url }) => {
      const names = new Set(instances.map(({ name }) => name))
      const processes = findProcesses(projectPaths(folder)).filter(({ name }) => names.has(name))
      const isListening = await fetch(url).then(
        () => true,
        () => false,
      )
      return [...processes.map(({ name }) => name), ...(isListening ? [url] : [])]
    },
  }
}

function writeDocument(name: string, { colour, isBroken = false, ...spec }: Wish): unknown {
  return {
    apiVersion: 'towline.dev/v1alpha1',
    kind: 'ModelService',
    metadata: { name },
    spec: {
      model: { uri: join(models, isBroken ? 'broken-unknown-op.onnx' : 'mlp-dynamic.onnx') },
      resources: { cpu: 1 },
      ...(colour === undefined ? {} : { env: [{ name: 'COLOUR', value: colour }] }),
      ...spec,
    },
  }
}
