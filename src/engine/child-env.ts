/** Of the engine's own surroundings a child gets only what finds programs, text and time: what else it needs, its spec says. */
const passed = [
  'PATH',
  'HOME',
  'USER',
  'LANG',
  'TZ',
  'TMPDIR',
  'LD_LIBRARY_PATH',
  'SSL_CERT_FILE',
  'NODE_EXTRA_CA_CERTS',
]

export function childEnv(
  own: NodeJS.ProcessEnv,
  fromSpec: readonly { readonly name: string; readonly value: string }[],
): NodeJS.ProcessEnv {
  const kept = Object.entries(own).filter(([name]) => passed.includes(name) || name.startsWith('LC_'))
  return { ...Object.fromEntries(kept), ...Object.fromEntries(fromSpec.map(({ name, value }) => [name, value])) }
}
