import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'

/** What a test reads of a CycloneDX document; that it has this shape is what the format's own schema says. */
export interface BillOfMaterials {
  readonly metadata: { readonly component: { readonly name: string } }
  readonly components: readonly { readonly type: string; readonly name: string; readonly version?: string }[]
}

/** What CycloneDX 1.6 finds wrong with a document; empty for a valid one. */
export function findSchemaErrors(document: unknown): readonly string[] {
  const folder = import.meta.resolve('@cyclonedx/cyclonedx-library/package.json')
  const read = (name: string): object =>
    JSON.parse(readFileSync(new URL(`res/schema/${name}.SNAPSHOT.schema.json`, folder), 'utf8')) as object
  // Formats are the unit test's matter: src/image/sbom/cyclonedx.test.ts.
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true })
  // By the names that the library's copies have for each other.
  for (const name of ['spdx', 'jsf-0.82', 'cryptography-defs'])
    ajv.addSchema(read(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`)
  const validate = ajv.compile(read('bom-1.6'))
  return validate(document)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
}
