import { buildCommand } from '@stricli/core'
import { quantityUnits, parseQuantity } from '../../base/quantity.ts'
import { examples, file, json, overlay } from '../flags.ts'

/** Commands about container images; none needs an engine or Docker. */

const plainHttp = {
  kind: 'boolean',
  default: false,
  withNegated: false,
  brief: 'Speak to the registry without encryption; for this machine that is so anyway',
} as const
const serviceName = {
  kind: 'parsed',
  parse: String,
  optional: true,
  placeholder: 'SERVICE',
  brief: 'Which service, where several were built here',
} as const
const place = {
  brief: 'reg.example.com/cats:1, oci:DIR[:NAME] or docker-archive:FILE',
  parse: String,
  placeholder: 'IMAGE',
} as const
const reference = { brief: 'Such as reg.example.com/team/cats:1', parse: String, placeholder: 'REFERENCE' } as const

const build = buildCommand({
  loader: async () => (await import('../commands/image/build.ts')).build,
  parameters: {
    positional: { kind: 'tuple', parameters: [{ ...file, default: 'towline.yaml' }] },
    flags: {
      env: overlay,
      plan: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'Say what would be built, and build nothing',
      },
      dockerfile: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'Write a Dockerfile of the same image instead, for Docker, Buildah or Podman',
      },
      npmrc: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'With --dockerfile: fetch packages with your own npm settings, given as a build secret',
      },
      platform: {
        kind: 'parsed',
        parse: String,
        variadic: ',',
        optional: true,
        placeholder: 'OS/CPU',
        brief: 'linux/amd64 (default), linux/arm64, or both; two make an index',
      },
      base: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'IMAGE',
        brief: 'Base image: a reference, oci:DIR, docker-archive:FILE or scratch',
      },
      update: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'Look up the base image again, instead of the bytes that the lock pins',
      },
      locked: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'Fail when the image is not the one that the lock names; for CI',
      },
      output: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'PLACE',
        brief: 'Write it to oci:DIR or docker-archive:FILE too',
      },
      push: { kind: 'parsed', parse: String, optional: true, placeholder: 'REFERENCE', brief: 'Push it too' },
      label: {
        kind: 'parsed',
        parse: parseLabel,
        variadic: true,
        optional: true,
        placeholder: 'KEY=VALUE',
        brief: 'Another label, such as org.opencontainers.image.revision=…',
      },
      maxLayer: {
        kind: 'parsed',
        parse: parseSize,
        default: '10G',
        placeholder: 'SIZE',
        brief: 'Refuse a larger file: the least that large registries take',
      },
      plainHttp,
      json,
    },
  },
  docs: {
    brief: 'Build the container image of a service, without Docker',
    fullDescription: examples(
      'towline build --plan',
      'towline build --push reg.example.com/cats:1',
      'towline build --platform linux/amd64,linux/arm64 --output oci:./image',
      'towline build --dockerfile',
    ),
  },
})

const push = buildCommand({
  loader: async () => (await import('../commands/image/push.ts')).push,
  parameters: {
    positional: { kind: 'tuple', parameters: [reference] },
    flags: {
      from: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'PLACE',
        brief: 'oci:DIR[:NAME] or docker-archive:FILE; default: what `towline build` made here',
      },
      name: serviceName,
      modelPack: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'TAG',
        brief: 'Push the model in ModelPack form too, over the same blobs, under this tag',
      },
      plainHttp,
      json,
    },
  },
  docs: {
    brief: 'Push an image, with its SBOM and what staging said of its model',
    fullDescription: examples(
      'towline push reg.example.com/team/cats:1',
      'towline push reg.example.com/team/cats:1 --model-pack 1-model',
      'towline push localhost:5000/cats --from oci:./image',
    ),
  },
})

const pull = buildCommand({
  loader: async () => (await import('../commands/image/pull.ts')).pull,
  parameters: {
    positional: { kind: 'tuple', parameters: [reference] },
    flags: {
      output: { kind: 'parsed', parse: String, placeholder: 'PLACE', brief: 'oci:DIR[:NAME] or docker-archive:FILE' },
      platform: {
        kind: 'parsed',
        parse: String,
        optional: true,
        placeholder: 'OS/CPU',
        brief: 'Only this one of an index; for docker-archive the default is linux/amd64',
      },
      plainHttp,
      json,
    },
  },
  docs: {
    brief: 'Copy an image from a registry to a folder or a file',
    fullDescription: examples(
      'towline pull reg.example.com/team/cats:1 --output oci:./cats',
      'towline pull reg.example.com/team/cats:1 --output docker-archive:cats.tar',
    ),
  },
})

const inspect = buildCommand({
  loader: async () => (await import('../commands/image/inspect.ts')).inspect,
  parameters: {
    positional: { kind: 'tuple', parameters: [{ ...place, optional: true }] },
    flags: { name: serviceName, plainHttp, json },
  },
  docs: {
    brief: 'Say what an image is made of: layers, sizes and why they are there',
    fullDescription: examples('towline inspect', 'towline inspect reg.example.com/team/cats:1 --json'),
  },
})

export const imageCommands = { build, push, pull, inspect }

/** What a push decides by, and what tools read as facts. */
const ownLabels = /^(dev\.towline\..*|org\.opencontainers\.image\.(title|base\..*))$/

function parseLabel(text: string): readonly [key: string, value: string] {
  const at = text.indexOf('=')
  const [key, value] = [text.slice(0, at), text.slice(at + 1)]
  if (at <= 0 || !/^[A-Za-z0-9][\w./-]*$/.test(key)) throw new Error(`\`${text}\` is not a label; write KEY=VALUE`)
  if (ownLabels.test(key)) throw new Error(`the label ${key} is set by towline, and others rely on it`)
  // In a Dockerfile the rest of it would be an instruction.
  if (/\p{Cc}/u.test(value)) throw new Error(`the label ${key} has a line break or another control character`)
  return [key, value]
}

function parseSize(text: string): number {
  const quantity = parseQuantity(text)
  if (quantity === undefined || quantityUnits(quantity) < 1)
    throw new Error(`\`${text}\` is not a size; write 10G (10^9 bytes) or 10Gi (2^30)`)
  return quantityUnits(quantity)
}
