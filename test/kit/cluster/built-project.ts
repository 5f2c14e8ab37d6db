import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { stringify } from 'yaml'
import { nameInLocks } from '../../../src/cli/image/lock-file.ts'
import type { BuiltDescription } from '../../../src/cli/view/image/built-rows.ts'
import type { ClusterService } from '../../../src/spec/cluster-service.ts'
import { parseLock } from '../../../src/spec/lock.ts'
import { sealForCluster } from '../../../src/spec/seal-for-cluster.ts'
import type { ModelServiceDocument } from '../../../src/spec/schema/model-service.ts'
import { towline } from '../command.ts'
import { makeBaseImage } from '../containers/debian-base.ts'
import { runProgram } from '../containers/program.ts'
import type { Scope } from '../scope.ts'

type Spec = Partial<ModelServiceDocument['spec']>

/** A project whose image was built by `towline build`, and could have been pushed to a registry that nodes know. */
export interface BuiltProject {
  readonly name: string
  /** For `loadImage`: nodes find it by the name and digest of the lock. */
  readonly archive: string
  /** The spec with these fields, sealed with the lock as `towline deploy` does it. */
  seal(spec?: Spec): Promise<ClusterService>
}

/** Builds a service of a model: a file, or a folder that is copied as `model`. Layers come from the cache of the machine. */
export async function buildProject(test: Scope, name: string, model: string): Promise<BuiltProject> {
  const folder = mkdtempSync(join(tmpdir(), 'towline-built-'))
  test.after(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(model, join(folder, basename(model)), { recursive: true })
  const file = join(folder, 'towline.yaml')
  const write = (spec: Spec): void =>
    writeFileSync(
      file,
      stringify({
        apiVersion: 'towline.dev/v1alpha1',
        kind: 'ModelService',
        metadata: { name },
        spec: { model: { uri: `./${basename(model)}` }, ...spec },
      }),
    )
  write({})
  const layout = join(folder, 'layout')
  const base = `oci:${await makeBaseImage('cc')}:latest`
  const { code, out, err } = await towline(['build', '--base', base, '--output', `oci:${layout}`, '--json'], folder)
  if (code !== 0) throw new Error(`towline build ended with ${code}:\n${err}`)
  const { digest } = JSON.parse(out) as BuiltDescription
  const image = `registry.example/${name}`
  await nameInLocks(folder, digest, `${image}:1`)
  const archive = join(folder, 'image.tar')
  await packLayout(layout, `${image}@${digest}`, digest, archive)
  return {
    name,
    archive,
    async seal(spec = {}) {
      write(spec)
      const lockFile = join(folder, 'towline.lock')
      const { lock } = await parseLock(lockFile, readFileSync(lockFile))
      const { clusterService, diagnostics } = await sealForCluster(file, { lock })
      if (clusterService === undefined || diagnostics.length > 0)
        throw new Error(`the spec was not sealed as it is:\n${JSON.stringify(diagnostics, undefined, 2)}`)
      return clusterService
    },
  }
}

/** With nothing but the image in its index, under the name that containerd gives it. */
async function packLayout(layout: string, name: string, digest: string, archive: string): Promise<void> {
  const file = join(layout, 'index.json')
  const index = JSON.parse(readFileSync(file, 'utf8')) as { readonly manifests: readonly { readonly digest: string }[] }
  const manifests = index.manifests
    .filter((each) => each.digest === digest)
    .map((each) => ({ ...each, annotations: { 'io.containerd.image.name': name } }))
  writeFileSync(file, JSON.stringify({ ...index, manifests }))
  await runProgram('tar', ['-cf', archive, '-C', layout, 'oci-layout', 'index.json', 'blobs'])
}
