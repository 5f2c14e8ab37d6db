/** What must not go into an image because whoever pulls it could read it. Pure: names and the beginnings of files. */

/** What a secret is called, and where it stands in UTF-16 units of the text; never the secret itself. */
export interface FoundSecret {
  readonly what: string
  readonly start: number
  readonly length: number
}

/** Of a file that is searched: a larger one is data, not settings. */
export const maxSearchedBytes = 64 << 10

const secretNames: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  { pattern: /(^|\/)\.env[^/]*$/, what: 'settings of an environment, which hold secrets' },
  { pattern: /(^|\/)[._]netrc$/, what: 'passwords of hosts' },
  { pattern: /(^|\/)\.git-credentials$/, what: 'passwords of git' },
  { pattern: /(^|\/)id_(rsa|dsa|ecdsa|ed25519)[^/]*(?<!\.pub)$/, what: 'a private key of SSH' },
  { pattern: /(^|\/)\.(docker\/config\.json|dockercfg)$/, what: 'logins of registries' },
  { pattern: /(^|\/)\.aws\/(credentials|config)$/, what: 'credentials of AWS' },
  { pattern: /(^|\/)\.azure\/[^/]+$/, what: 'credentials of Azure' },
  {
    pattern: /(^|\/)(\.config\/gcloud\/.+|application_default_credentials\.json)$/,
    what: 'credentials of Google Cloud',
  },
  { pattern: /(^|\/)\.kube\/config$/, what: 'credentials of Kubernetes' },
  { pattern: /(^|\/)(\.cache\/huggingface|\.huggingface)\/(token|stored_tokens)$/, what: 'a token of Hugging Face' },
  { pattern: /(^|\/)\.pypirc$/, what: 'passwords of package indexes' },
]

const tokens: readonly { readonly pattern: RegExp; readonly what: string; readonly names?: RegExp }[] = [
  { pattern: /-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----/g, what: 'a private key' },
  // The one of AWS's own documents ends in EXAMPLE and opens nothing.
  { pattern: /\bA(?:KIA|SIA)(?![A-Z0-9]{9}EXAMPLE\b)[A-Z2-7]{16}\b/g, what: 'an access key of AWS' },
  { pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_\w{22,255})/g, what: 'a token of GitHub' },
  { pattern: /\bglpat-[\w-]{20,}/g, what: 'a token of GitLab' },
  { pattern: /\bhf_[A-Za-z0-9]{30,}\b/g, what: 'a token of Hugging Face' },
  { pattern: /\bnpm_[A-Za-z0-9]{36}\b/g, what: 'a token of npm' },
  { pattern: /\bxox[abposr]-[\w-]{10,}/g, what: 'a token of Slack' },
  { pattern: /(?:_authToken|_password|_auth)\s*=\s*(?!\$\{)\S+/g, what: 'a login of npm', names: /(^|\/)\.npmrc$/ },
]

/** What the path alone says: `passwords of git`. */
export function findSecretName(path: string): string | undefined {
  return secretNames.find(({ pattern }) => pattern.test(path))?.what
}

/** True for a file whose size says nothing about whether it holds a key. */
export function isKeyFile(path: string): boolean {
  return /\.(pem|key|p8)$/i.test(path)
}

/** Tokens and keys whose shape is well known, in the order of the text. */
export function findSecrets(path: string, text: string): FoundSecret[] {
  return tokens
    .filter(({ names }) => names === undefined || names.test(path))
    .flatMap(({ pattern, what }) =>
      [...text.matchAll(pattern)].map((match) => ({ what, start: match.index, length: match[0].length })),
    )
    .toSorted((a, b) => a.start - b.start)
}
