import { TowlineError } from '../../base/errors.ts'
import type { InstalledPackage, OsRelease } from '../base/dpkg-status.ts'
import { type Digest, type Platform, formatPlatform } from '../oci/descriptor.ts'
import type { Reference } from '../registry/reference.ts'
import type { ImageContents, NamedImage, NpmPackage, PackedModel } from './contents.ts'
import { type LicenseChoice, describeLicense } from './license.ts'
import { formatPurl, npmPurl } from './purl.ts'

/** The part of a CycloneDX 1.6 component that is used here. */
export interface Component {
  readonly type: 'application' | 'container' | 'file' | 'library' | 'machine-learning-model'
  readonly 'bom-ref': string
  readonly group?: string
  readonly name: string
  readonly version?: string
  readonly purl?: string
  readonly cpe?: string
  readonly hashes?: readonly Hash[]
  readonly licenses?: LicenseChoice
  readonly properties?: readonly { readonly name: string; readonly value: string }[]
  readonly components?: readonly Component[]
}

interface Hash {
  readonly alg: 'SHA-1' | 'SHA-256' | 'SHA-384' | 'SHA-512'
  /** Hexadecimal. */
  readonly content: string
}

/** The image itself or its base. One that is in no registry has no package URL, which would lead to another. */
export function describeImage({ name, reference, digest }: NamedImage, platform: Platform): Component {
  const purl = reference === undefined ? undefined : imagePurl(reference, digest, platform)
  return {
    type: 'container',
    'bom-ref': purl ?? `${name}@${digest}`,
    name,
    version: digest,
    ...(purl === undefined ? {} : { purl }),
    properties: [{ name: 'towline:platform', value: formatPlatform(platform) }],
  }
}

function imagePurl({ registry, repository, tag }: Reference, digest: Digest, platform: Platform): string {
  return formatPurl({
    type: 'oci',
    name: repository.slice(repository.lastIndexOf('/') + 1),
    version: digest,
    qualifiers: { arch: platform.architecture, repository_url: `${registry}/${repository}`, tag },
  })
}

/**
 * Node is an application of its own beside the npm package that carries it: advisories for Node name the product (the CPE),
 * none name that package, whose entry says where the bytes came from.
 */
export function describeNode({ version }: ImageContents['node']): Component {
  const purl = formatPurl({ type: 'generic', name: 'node', version })
  return {
    type: 'application',
    'bom-ref': purl,
    name: 'node',
    version,
    purl,
    cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`,
  }
}

export function describeTowline({ version, digest }: ImageContents['towline']): Component {
  return { type: 'application', 'bom-ref': `towline@${version}`, name: 'towline', version, hashes: [hashOf(digest)] }
}

export function describeModel({ name, digest, files }: PackedModel): Component {
  const ref = `model:${name}`
  return {
    type: 'machine-learning-model',
    'bom-ref': ref,
    name,
    hashes: [hashOf(digest)],
    components: files
      .toSorted((a, b) => (a.path < b.path ? -1 : 1))
      .map(({ path, digest: ofFile }) => ({
        type: 'file',
        'bom-ref': `${ref}/${path}`,
        name: path,
        hashes: [hashOf(ofFile)],
      })),
  }
}

/** TL_PACKAGE_MISMATCH when the integrity is none. */
export function describeNpmPackage({ name, version, integrity, license }: NpmPackage): Component {
  const slash = name.indexOf('/')
  const purl = npmPurl(name, version)
  return {
    type: 'library',
    'bom-ref': purl,
    ...(slash === -1 ? {} : { group: name.slice(0, slash) }),
    name: name.slice(slash + 1),
    version,
    purl,
    hashes: readIntegrity(`${name}@${version}`, integrity),
    ...(license === undefined || license.trim() === '' ? {} : { licenses: describeLicense(license) }),
  }
}

/** `upstream` is where scanners look for the source package, by whose name Debian's advisories go. */
export function describeDebianPackage(installed: InstalledPackage, release: OsRelease | undefined): Component {
  const { name, version, architecture, source } = installed
  const { id = 'debian', versionId } = release ?? {}
  const [, sourceName, sourceVersion] = /^([^\s(]+)(?:\s*\(([^)]+)\))?\s*$/.exec(source ?? '') ?? []
  const purl = formatPurl({
    type: 'deb',
    namespace: id,
    name,
    version,
    qualifiers: {
      arch: architecture,
      distro: versionId === undefined ? undefined : `${id}-${versionId}`,
      upstream: sourceVersion === undefined ? sourceName : `${sourceName}@${sourceVersion}`,
    },
  })
  return { type: 'library', 'bom-ref': purl, name, version, purl }
}

function hashOf(digest: Digest): Hash {
  return { alg: 'SHA-256', content: digest.slice('sha256:'.length) }
}

const algorithms = { sha1: 'SHA-1', sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' } as const
const hashBytes = { 'SHA-1': 20, 'SHA-256': 32, 'SHA-384': 48, 'SHA-512': 64 } as const

function readIntegrity(name: string, integrity: string): Hash[] {
  return integrity.split(/\s+/).map((part) => {
    const [, algorithm = '', base64 = ''] = /^(sha1|sha256|sha384|sha512)-([A-Za-z0-9+/]+={0,2})$/.exec(part) ?? []
    const alg = algorithms[algorithm as keyof typeof algorithms]
    const bytes = Buffer.from(base64, 'base64')
    if (alg === undefined || bytes.length !== hashBytes[alg])
      throw new TowlineError('TL_PACKAGE_MISMATCH', `${name} has the integrity "${integrity}", which is no hash`, {
        hint: 'make the lock file anew; an integrity is sha512- and 64 bytes in base64',
      })
    return { alg, content: bytes.toString('hex') }
  })
}
