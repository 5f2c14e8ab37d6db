import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DescribedPlan } from '../../src/cli/view/image/plan-rows.ts'
import { layerRecipes } from '../../src/image/runtime/recipe.ts'
import type { TreeEntry } from './file-tree.ts'

const packageLayers: readonly string[] = layerRecipes.map(({ name }) => name)

/** Below `root` lies every package, file and module that the plan names, and no other file. `own`: of Towline's folders. */
export function checkPlanned(root: string, own: ReadonlyMap<string, TreeEntry>, { layers }: DescribedPlan): void {
  const files = new Set([...own].filter(([, { kind }]) => kind !== 'Folder').map(([path]) => path))
  const take = (path: string): void => assert.ok(files.delete(path), `${path} is not there`)
  const folders: string[] = []
  for (const { name, holds } of layers) {
    if (packageLayers.includes(name)) folders.push(...holds.map((spec) => checkPackage(root, spec)))
    else if (name === 'code') {
      const modules = [...files].filter((path) => path.startsWith('opt/towline/dist/'))
      assert.deepEqual([`${modules.length} modules`], holds)
      for (const path of ['opt/towline/package.json', ...modules]) take(path)
    } else for (const path of holds) take(name === 'settings' ? path.slice(1) : `models/${path}`)
  }
  const strangers = [...files].filter((path) => !folders.some((folder) => path.startsWith(folder)))
  assert.deepEqual(strangers, [])
}

/** Returns the folder of `name@version`, which has that version. */
function checkPackage(root: string, spec: string): string {
  const [, name = '', version] = /^(.+)@([^@]+)$/.exec(spec) ?? []
  const folder = name.startsWith('node-linux-') ? 'opt/towline/node' : `opt/towline/node_modules/${name}`
  const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as { version: string }
  assert.equal(manifest.version, version, spec)
  return `${folder}/`
}
