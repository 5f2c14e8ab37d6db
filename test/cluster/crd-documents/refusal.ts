import { sealedDocument } from '../../kit/cluster-service-sample.ts'

/** A document that a cluster must not take: once as it is written, and what is to be read of it. */
export interface Refusal {
  /** What is wrong, for people. */
  readonly name: string
  /** Of the spec, over a sealed one that is right; undefined takes a field away. */
  readonly spec: Readonly<Record<string, unknown>>
  /** Where the server says it lies: `spec.model.uri`. */
  readonly field: string
  /** Of the server's own sentence, where ours would be another one. Otherwise the server says ours, to the letter. */
  readonly words?: RegExp
}

/** `spec` over the sealed one that is right. */
export function writeRefused({ spec }: Refusal): ReturnType<typeof sealedDocument> {
  const document = sealedDocument(spec)
  const fields = Object.entries(document.spec).filter(([, value]) => value !== undefined)
  return { ...document, spec: Object.fromEntries(fields) as typeof document.spec }
}
