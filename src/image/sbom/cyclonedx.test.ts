import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import { digestOf } from '../oci/descriptor.ts'
import { encodeDocument } from '../oci/manifest.ts'
import { parseReference } from '../registry/reference.ts'
import type { Component } from './components.ts'
import type { ImageContents } from './contents.ts'
import { cycloneDxMediaType, describeContents } from './cyclonedx.ts'

/** What the tests read of a document; that it has this shape is what CycloneDX's own schema says. */
interface Document {
  readonly serialNumber: string
  readonly metadata: { readonly timestamp?: string; readonly component: Component }
  readonly components: readonly Component[]
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[]
}

const digest = (text: string): ReturnType<typeof digestOf> => digestOf(Buffer.from(text))
const integrity = `sha512-${Buffer.alloc(64, 7).toString('base64')}`

const base: NonNullable<ImageContents['base']> = {
  name: 'gcr.io/distroless/cc-debian13:nonroot',
  reference: parseReference('gcr.io/distroless/cc-debian13:nonroot'),
  digest: digest('base'),
  release: { id: 'debian', versionId: '13' },
  packages: [
    { name: 'libstdc++6', version: '14.2.0-19', architecture: 'amd64', source: 'gcc-14' },
    { name: 'libgcc-s1', version: '14.2.0-19', architecture: 'amd64', source: 'gcc-14 (14.2.0-19+b1)' },
    { name: 'base-files', version: '1:13.8', architecture: 'amd64' },
  ],
}

const contents: ImageContents = {
  image: {
    name: 'image-classifier',
    reference: parseReference('registry.example.com/team/image-classifier:1.2'),
    digest: digest('image'),
  },
  platform: { os: 'linux', architecture: 'amd64' },
  base,
  node: { version: '24.21.0' },
  towline: { version: '0.1.0', digest: digest('towline') },
  model: {
    name: 'image-classifier',
    digest: digest('model'),
    files: [
      { path: 'model.onnx', digest: digest('weights') },
      { path: 'card.yaml', digest: digest('card') },
    ],
  },
  packages: [
    { name: 'zod', version: '4.4.0', integrity, license: 'MIT' },
    { name: '@img/sharp-linux-x64', version: '0.35.0', integrity, license: 'Apache-2.0 AND LGPL-3.0-or-later' },
    { name: 'own', version: '1.0.0', integrity, license: 'SEE LICENSE IN LICENSE' },
    { name: 'bare', version: '1.0.0', integrity },
  ],
}

/** Written to a file, nothing below it, and a model with no packages beside it. */
const { base: _, ...withoutBase } = contents
const fromScratch: ImageContents = {
  ...withoutBase,
  image: { name: 'image-classifier', digest: digest('image') },
  packages: [],
}

const describe = (input: ImageContents): Document => describeContents(input) as Document

test('the document is one by the schema of CycloneDX 1.6, with a time and without', () => {
  const validate = compileSchema()
  for (const input of [contents, { ...contents, createdAtS: 1_700_000_000 }, fromScratch])
    assert.ok(validate(JSON.parse(JSON.stringify(describeContents(input)))), JSON.stringify(validate.errors, null, 1))
  // The schema is one that says no.
  assert.equal(validate({ ...describeContents(contents), serialNumber: 'urn:uuid:1' }), false)
  assert.equal(validate({ ...describeContents({ ...contents, createdAtS: 0 }), metadata: { timestamp: 'now' } }), false)
})

test('everything in the image is there by a name that scanners know', () => {
  const { metadata, components } = describe(contents)
  const find = (purl: string): Component => {
    const found = components.find((component) => component['bom-ref'] === purl)
    assert.ok(found, `${purl} in ${components.map((component) => component['bom-ref']).join('\n')}`)
    return found
  }
  assert.equal(
    metadata.component.purl,
    `pkg:oci/image-classifier@${contents.image.digest}?arch=amd64&repository_url=registry.example.com%2Fteam%2Fimage-classifier&tag=1.2`,
  )
  assert.deepEqual(find('pkg:npm/zod@4.4.0').hashes, [{ alg: 'SHA-512', content: '07'.repeat(64) }])
  assert.deepEqual(find('pkg:npm/zod@4.4.0').licenses, [{ license: { id: 'MIT' } }])
  const scoped = find('pkg:npm/%40img/sharp-linux-x64@0.35.0')
  assert.deepEqual([scoped.group, scoped.name], ['@img', 'sharp-linux-x64'])
  assert.equal('licenses' in find('pkg:npm/bare@1.0.0'), false)
  find('pkg:deb/debian/libstdc%2B%2B6@14.2.0-19?arch=amd64&distro=debian-13&upstream=gcc-14')
  find('pkg:deb/debian/libgcc-s1@14.2.0-19?arch=amd64&distro=debian-13&upstream=gcc-14%4014.2.0-19%2Bb1')
  find('pkg:deb/debian/base-files@1:13.8?arch=amd64&distro=debian-13')
  assert.equal(find('pkg:generic/node@24.21.0').cpe, 'cpe:2.3:a:nodejs:node.js:24.21.0:*:*:*:*:*:*:*')
  const model = components.find(({ type }) => type === 'machine-learning-model')
  assert.deepEqual(
    model?.components?.map(({ name, hashes }) => [name, hashes?.[0]?.content]),
    [
      ['card.yaml', digest('card').slice(7)],
      ['model.onnx', digest('weights').slice(7)],
    ],
  )
  assert.deepEqual(model.hashes, [{ alg: 'SHA-256', content: digest('model').slice(7) }])
})

test('the image depends on all of it, the base on its packages, and each reference leads somewhere', () => {
  const { metadata, components, dependencies } = describe(contents)
  const refs = components.map((component) => component['bom-ref'])
  assert.equal(new Set(refs).size, refs.length)
  const [image, ground] = dependencies
  assert.equal(image?.ref, metadata.component['bom-ref'])
  assert.deepEqual(image.dependsOn, refs)
  assert.match(ground?.ref ?? '', /^pkg:oci\/cc-debian13@/)
  assert.equal(ground?.dependsOn.length, 3)
  assert.ok(ground.dependsOn.every((ref) => refs.includes(ref)))
})

test('an image from scratch that is in no registry has no package URL and no base', () => {
  const { metadata, components, dependencies } = describe(fromScratch)
  assert.equal(metadata.component['bom-ref'], `image-classifier@${digest('image')}`)
  assert.equal('purl' in metadata.component, false)
  assert.deepEqual(
    components.map(({ type, name }) => [type, name]),
    [
      ['machine-learning-model', 'image-classifier'],
      ['application', 'node'],
      ['application', 'towline'],
    ],
  )
  assert.equal(dependencies.length, 1)
})

test('packages of a base that does not say what it is are taken for those of Debian, of no release', () => {
  const { release: _release, ...unknown } = base
  const refs = describe({ ...contents, base: unknown }).components.map((component) => component['bom-ref'])
  assert.ok(refs.includes('pkg:deb/debian/base-files@1:13.8?arch=amd64'))
  const ubuntu = describe({ ...contents, base: { ...base, release: { id: 'ubuntu', versionId: '26.04' } } }).components
  assert.ok(ubuntu.some(({ purl }) => purl === 'pkg:deb/ubuntu/base-files@1:13.8?arch=amd64&distro=ubuntu-26.04'))
})

test('the same contents in any order are the same bytes, other contents have another serial number', () => {
  const encode = (input: ImageContents): string =>
    encodeDocument(cycloneDxMediaType, describeContents(input)).descriptor.digest
  const shuffled = <T>(items: readonly T[]): fc.Arbitrary<T[]> =>
    fc.shuffledSubarray([...items], { minLength: items.length })
  fc.assert(
    fc.property(
      shuffled(contents.packages),
      shuffled(base.packages),
      shuffled(contents.model.files),
      (packages, ofBase, files) => {
        const reordered = {
          ...contents,
          // A package that lies at two places of node_modules is listed once.
          packages: [...packages, ...packages.slice(0, 1)],
          base: { ...base, packages: ofBase },
          model: { ...contents.model, files },
        }
        assert.equal(encode(reordered), encode(contents))
      },
    ),
    { numRuns: 20 },
  )
  const { serialNumber } = describe(contents)
  assert.match(serialNumber, /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.notEqual(describe({ ...contents, packages: contents.packages.slice(1) }).serialNumber, serialNumber)
})

test('a time is said only when it is given', () => {
  assert.equal('timestamp' in describe(contents).metadata, false)
  assert.equal(describe({ ...contents, createdAtS: 0 }).metadata.timestamp, '1970-01-01T00:00:00Z')
})

test('an integrity that is no hash, and one package with two contents, are refused by name', () => {
  const withPackage = (entry: Partial<ImageContents['packages'][number]>): ImageContents => ({
    ...contents,
    packages: [...contents.packages, { name: 'zod', version: '4.4.0', integrity, ...entry }],
  })
  for (const wrong of ['', 'sha512-AAAA', 'md5-AAAA', `${integrity}!`])
    assert.throws(() => describeContents(withPackage({ name: 'odd', integrity: wrong })), {
      code: 'TL_PACKAGE_MISMATCH',
      message: /odd@4\.4\.0 has the integrity ".*", which is no hash/,
    })
  assert.throws(
    () => describeContents(withPackage({ integrity: `sha512-${Buffer.alloc(64, 8).toString('base64')}` })),
    { code: 'TL_PACKAGE_MISMATCH', message: /both called pkg:npm\/zod@4\.4\.0/ },
  )
  const both = describe(
    withPackage({ name: 'old', integrity: `sha1-${Buffer.alloc(20).toString('base64')} ${integrity}` }),
  )
  assert.deepEqual(
    both.components.find(({ name }) => name === 'old')?.hashes?.map(({ alg }) => alg),
    ['SHA-1', 'SHA-512'],
  )
})

function compileSchema(): ReturnType<Ajv['compile']> {
  const folder = import.meta.resolve('@cyclonedx/cyclonedx-library/package.json')
  const read = (name: string): object =>
    JSON.parse(readFileSync(new URL(`res/schema/${name}.SNAPSHOT.schema.json`, folder), 'utf8')) as object
  const ajv = new Ajv({
    strict: false,
    // Those that the schemas use, held to what tells them from any text.
    formats: {
      'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/,
      'iri-reference': /^[^\s<>"{}|\\^`]*$/,
      uri: /^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"{}|\\^`]*$/,
      'idn-email': /^[^\s@]+@[^\s@]+$/,
    },
  })
  // By the names that the library's copies have for each other.
  for (const name of ['spdx', 'jsf-0.82', 'cryptography-defs'])
    ajv.addSchema(read(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`)
  return ajv.compile(read('bom-1.6'))
}
