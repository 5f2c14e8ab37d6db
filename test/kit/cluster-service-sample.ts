import type { ModelServiceDocument } from '../../src/spec/schema/model-service.ts'
import type { ClusterService } from '../../src/spec/cluster-service.ts'
import { resolveClusterService } from '../../src/spec/resolve/resolve-cluster-service.ts'

type Spec = ModelServiceDocument['spec']

const digest = `sha256:${'1'.repeat(64)}`

/** A sealed document, with what a test wants otherwise. */
export function sealedDocument(spec: Partial<Spec> = {}): ModelServiceDocument {
  return {
    apiVersion: 'towline.dev/v1alpha1',
    kind: 'ModelService',
    metadata: { name: 'cats' },
    spec: { model: { uri: 'image:///models', digest }, image: `registry.example/cats@${digest}`, ...spec },
  }
}

export function sampleClusterService(spec: Partial<Spec> = {}): ClusterService {
  return resolveClusterService(sealedDocument(spec))
}
