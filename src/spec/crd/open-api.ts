/** The part of OpenAPI v3 that custom resources are described with. */
export interface StructuralSchema {
  readonly type?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, StructuralSchema>>
  readonly items?: StructuralSchema
  readonly additionalProperties?: StructuralSchema
  readonly [keyword: string]: unknown
}
