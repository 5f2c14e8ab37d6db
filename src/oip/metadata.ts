import type { ModelSignature, TensorSpec } from './tensor.ts'

export function renderServerMetadata(version: string): object {
  return { name: 'towline', version, extensions: ['binary_tensor_data', 'classification', 'model_repository'] }
}

export function renderModelMetadata({ name, platform, inputs, outputs }: ModelSignature): object {
  const render = (spec: TensorSpec): object => ({ name: spec.name, datatype: spec.datatype, shape: spec.shape })
  return { name, platform, inputs: inputs.map(render), outputs: outputs.map(render) }
}
