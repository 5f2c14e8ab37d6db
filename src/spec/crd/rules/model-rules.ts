import { modelSchemes } from '../../rules/model-rules.ts'
import { quote, type Rule, say, sayEither, valueOr } from '../rule.ts'

const digest = 'sha256:[0-9a-f]{64}'
export const modelAddress = `^(${modelSchemes.join('|')})://`

const modelName = (self: string): string => valueOr('spec.model.name', `${self}.metadata.name`, self)

/** A sealed document: every place is an address, everything is pinned. */
export const modelRules: readonly Rule[] = [
  {
    at: 'spec.model',
    field: 'uri',
    rule: `self.uri.matches('${modelAddress}')`,
    say: sayEither(
      `self.uri.matches('^(?i)[a-z][a-z0-9+.-]*://')`,
      say`\`${'self.uri'}\` is no address of a model; known are ${quote(modelSchemes.join(', '))}`,
      say`the model is the local path \`${'self.uri'}\`; a cluster needs an address: run \`towline build\``,
    ),
  },
  {
    at: 'spec.model',
    field: 'uri',
    rule: `!self.uri.matches('^[a-z]+://[^/]*:[^/]*@')`,
    say: say`the address of the model holds a password; use model.auth.secretRef`,
  },
  {
    at: 'spec.model',
    field: 'uri',
    rule: `has(self.digest) || self.uri.matches('@${digest}$') || !self.uri.matches('${modelAddress}')`,
    say: say`what \`${'self.uri'}\` holds may change; pin it with spec.model.digest: run \`towline build\``,
  },
  {
    at: 'spec.image',
    rule: `self.matches('^[^@]*@${digest}(@|$)')`,
    say: say`the image \`${'self'}\` has no digest; run \`towline build\``,
  },
  {
    at: 'spec',
    rule: 'has(self.image) || has(self.build)',
    say: say`a cluster runs an image: \`towline build\` makes it, and \`towline push\` brings it to a registry`,
  },
  {
    at: 'spec',
    field: 'build',
    rule: 'has(self.image) || !has(self.build)',
    say: say`\`build\` has no image yet; run \`towline build\``,
  },
  {
    at: '',
    field: 'spec.model.name',
    rule: `${modelName('self')} == ${modelName('oldSelf')}`,
    say: say`model.name cannot change from \`${modelName('oldSelf')}\` to \`${modelName('self')}\`, because callers ask for it by this name; make another service with the new name`,
  },
]
