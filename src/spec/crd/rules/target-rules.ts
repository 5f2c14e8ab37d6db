import { notYetOnCluster } from '../../target/cluster-wishes.ts'
import { type Rule, say } from '../rule.ts'
import { modelAddress } from './model-rules.ts'

const unsupported = 'is not supported yet by `towline deploy`'

const fields = notYetOnCluster.map(({ path, wayOut }): Rule => {
  const field = path.join('.')
  const owner = path.slice(0, -1).join('.')
  return {
    at: owner,
    field: String(path.at(-1)),
    rule: `!has(self.${path.at(-1)})`,
    say: { message: `\`${field.replace('spec.', '')}\` ${unsupported}; ${wayOut}` },
  }
})

/** What a cluster cannot do yet: `towline deploy` refuses it, and nobody else would do it. */
export const targetRules: readonly Rule[] = [
  ...fields,
  {
    at: 'spec.model',
    field: 'uri',
    rule: `self.uri == 'image:///models' || !self.uri.matches('${modelAddress}')`,
    say: { message: `a model at a remote address ${unsupported}; download it and give its path` },
  },
  {
    at: 'spec.model',
    field: 'delivery',
    rule: `!has(self.delivery) || self.delivery == 'Image'`,
    say: { message: `\`model.delivery\` ${unsupported}; the model travels in the image` },
  },
  {
    at: 'spec.model',
    field: 'format',
    rule: `!has(self.format) || self.format == 'onnx'`,
    say: say`the format \`${'self.format'}\` is not supported yet by \`towline deploy\`; only onnx is`,
  },
  ...['app', 'container', 'tensorflow', 'triton', 'vllm'].map((runtime): Rule => ({
    at: 'spec.runtime',
    field: runtime,
    rule: `!has(self.${runtime})`,
    say: { message: `the runtime \`${runtime}\` ${unsupported}; only onnx is` },
  })),
  {
    at: 'spec.serving',
    field: 'batching',
    rule: `!has(self.batching) || self.batching.mode == 'Disabled'`,
    say: { message: `\`serving.batching\` ${unsupported}; remove it` },
  },
]
