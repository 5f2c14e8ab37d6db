/** With what somebody is logged in. Never shown, in no message and no log. */
export type Credentials =
  | { readonly kind: 'Password'; readonly username: string; readonly password: string }
  /** Exchanged for tokens at the token server. */
  | { readonly kind: 'IdentityToken'; readonly token: string }
  /** Sent as it is. */
  | { readonly kind: 'RegistryToken'; readonly token: string }

/** Docker's mark for a token where a user would stand. */
export function credentialsOf(username: string, password: string): Credentials {
  return username === '<token>' ? { kind: 'IdentityToken', token: password } : { kind: 'Password', username, password }
}
