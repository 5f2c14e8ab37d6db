import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { peersFolder } from '../containers/peers-folder.ts'
import { skipWithout } from '../peer.ts'
import type { Scope } from '../scope.ts'
import type { ClusterParts } from './kwok.ts'
import type { Namespaces } from './namespaces.ts'
import { runToEnd } from './run-inside.ts'

/** How a node offers each of its devices: to one pod, or to four at a time by time slicing. */
export type GpuOffer = 'Whole' | 'TimeSliced'

/** Of the RuntimeClass that lets a pod see the devices it was given. */
export const gpuRuntimeClass = 'nvidia'

const built = join(peersFolder, 'nvidia')
const device = '/dev/nvidiactl'

/** True where the machine has a device of NVIDIA; otherwise the test is skipped, also where peers are required: no script installs one. */
export function requireGpu(test: Scope): boolean {
  if (!existsSync(device)) {
    test.skip(`this machine has no device of NVIDIA: there is no ${device}`)
    return false
  }
  if (existsSync(join(built, 'nvidia-device-plugin'))) return true
  skipWithout(test, "NVIDIA's programs for a node are not there; `scripts/setup-peers gpu` builds them")
  return false
}

/** NVIDIA's runtime beside runc, for containerd's configuration: it adds devices and the driver's libraries to a container, and calls runc. */
export function writeGpuRuntime(folder: string): string {
  const settings = join(folder, 'nvidia.toml')
  const program = join(folder, 'nvidia-runtime')
  writeFileSync(
    settings,
    `[nvidia-container-runtime]
debug = "${folder}/nvidia-runtime.log"
[nvidia-ctk]
path = "${built}/nvidia-cdi-hook"
`,
  )
  writeFileSync(
    program,
    `#!/bin/sh\nNVIDIA_CTK_CONFIG_FILE_PATH=${settings} exec ${built}/nvidia-container-runtime "$@"\n`,
  )
  chmodSync(program, 0o755)
  const runtime = `plugins."io.containerd.grpc.v1.cri".containerd.runtimes.${gpuRuntimeClass}`
  return `[${runtime}]
  runtime_type = "io.containerd.runc.v2"
  [${runtime}.options]
    BinaryName = "${program}"
    SystemdCgroup = false
`
}

/** The device plugin, and labels as feature discovery writes them. Resolves once the node has devices to give. */
export async function offerGpus(
  parts: ClusterParts,
  namespaces: Namespaces,
  node: string,
  offer: GpuOffer,
): Promise<void> {
  const { folder } = namespaces
  const config = join(folder, 'nvidia-plugin.yaml')
  const shared = { timeSlicing: { resources: [{ name: 'nvidia.com/gpu', replicas: 4 }] } }
  writeFileSync(config, JSON.stringify({ version: 'v1', ...(offer === 'TimeSliced' ? { sharing: shared } : {}) }))
  const labels = join(folder, 'features', 'gpu')
  mkdirSync(join(folder, 'features'))
  const discovery = ['--oneshot', '--no-timestamp', `--config-file=${config}`, `--output-file=${labels}`]
  await runToEnd(namespaces, join(built, 'gpu-feature-discovery'), discovery)
  await parts.kubectl(['label', 'node', node, ...readFileSync(labels, 'utf8').trim().split('\n')])
  await parts.apply([
    {
      apiVersion: 'node.k8s.io/v1',
      kind: 'RuntimeClass',
      metadata: { name: gpuRuntimeClass },
      handler: gpuRuntimeClass,
    },
  ])
  parts.start('nvidia-device-plugin', [`--config-file=${config}`], join(built, 'nvidia-device-plugin'), namespaces)
  const amount = String.raw`jsonpath={.status.allocatable.nvidia\.com/gpu}`
  await parts.until(`the devices of ${node}`, async () => {
    const { out } = await parts.kubectl(['get', 'node', node, '-o', amount])
    return Number(out) > 0
  })
}
