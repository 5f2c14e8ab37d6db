import type { ModelServiceDocument } from './schema/model-service.ts'

/** A service in TypeScript: `export default defineService({ … })` in `towline.config.ts`. The same document, with types. */
export function defineService(document: ModelServiceDocument): ModelServiceDocument {
  return document
}
