/** `npm run generate`: the files that are made from the sources. `--check` changes nothing and fails when one is stale. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { hasErrno } from '../src/base/errors.ts'
import { renderRuntimeLock } from './runtime/lock.ts'
import { syntheticLoads } from '../benchmarks/scaling/load.ts'
import { drawScaling } from '../benchmarks/scaling/picture.ts'
import { simulatedService } from '../benchmarks/scaling/service.ts'
import { writeManifests } from '../src/cli/cluster/write-manifests.ts'
import { renderCustomResourceDefinition } from '../src/spec/crd/custom-resource-definition.ts'
import {
  renderKustomizeOpenApi,
  renderModelCardSchema,
  renderModelServiceSchema,
  renderTestPlanSchema,
} from '../src/spec/json-schema.ts'

const root = join(import.meta.dirname, '..')
const outputs: readonly { readonly path: string; readonly content: () => Promise<string> }[] = [
  { path: 'schemas/model-service.schema.json', content: async () => renderJson(await renderModelServiceSchema()) },
  {
    path: 'schemas/modelservice.crd.yaml',
    content: async () => `${writeManifests([await renderCustomResourceDefinition()])}\n`,
  },
  { path: 'schemas/model-card.schema.json', content: async () => renderJson(await renderModelCardSchema()) },
  { path: 'schemas/model-test.schema.json', content: async () => renderJson(await renderTestPlanSchema()) },
  { path: 'src/image/runtime/runtime-lock.json', content: async () => renderRuntimeLock(root, checking) },
  { path: 'schemas/kustomize-openapi.json', content: async () => renderJson(renderKustomizeOpenApi()) },
  // By the decisions of the sources: a changed decision changes the picture.
  { path: 'docs/pictures/autoscaling.svg', content: async () => drawScaling(syntheticLoads, simulatedService) },
]

const checking = process.argv.includes('--check')
const stale: string[] = []
for (const { path, content } of outputs) {
  const file = join(root, path)
  const text = await content()
  if (readIfThere(file) === text) continue
  stale.push(path)
  if (checking) continue
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  console.log(`wrote ${path}`)
}
if (checking && stale.length > 0) {
  console.error(`stale: ${stale.join(', ')}; run \`npm run generate\``)
  process.exitCode = 1
} else if (stale.length === 0) console.log(`${outputs.length} generated files are up to date`)

function renderJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined
    throw error
  }
}
