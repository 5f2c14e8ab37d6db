import { readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { packTar } from 'modern-tar'
import { digestOf } from '../../../src/image/oci/descriptor.ts'

/** Writes an archive, as `docker save` does, of an image with nothing in it but this statically linked program, which starts as `/ITS-NAME`. */
export async function writeArchive(archive: string, name: string, program: string): Promise<void> {
  const mtime = new Date(0)
  const pack = async (path: string, body: Uint8Array): Promise<Uint8Array> =>
    await packTar([{ header: { name: path, size: body.length, mode: 0o755, mtime }, body }])
  const layer = await pack(basename(program), readFileSync(program))
  const config = {
    os: 'linux',
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    config: { Entrypoint: [`/${basename(program)}`] },
    rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
  }
  const manifest = [{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }]
  const files: readonly [string, Uint8Array][] = [
    ['manifest.json', Buffer.from(JSON.stringify(manifest))],
    ['config.json', Buffer.from(JSON.stringify(config))],
    ['layer.tar', layer],
  ]
  const entries = files.map(([name, body]) => ({ header: { name, size: body.length, mtime }, body }))
  writeFileSync(archive, await packTar(entries))
}
