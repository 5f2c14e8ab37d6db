/** A rule of the API server in CEL, the language of `x-kubernetes-validations`: for what a schema cannot say. */
export interface Rule {
  /** Of the part that the rule sees as `self`: `spec.env[]`; empty for the whole object. */
  readonly at: string
  /** CEL; true when nothing is wrong. */
  readonly rule: string
  readonly say: Saying
  /** Below `at`: where the finding lies. */
  readonly field?: string
}

/** A sentence, or CEL that makes one with the values seen. */
export type Saying = { readonly message: string } | { readonly messageExpression: string }

/**
 * The sentence of a rule; what is filled in is CEL. `format` and not `+`: the API server takes the length of a number as text for
 * unlimited, and refuses what goes on computing with it.
 */
export function say(parts: TemplateStringsArray, ...values: readonly string[]): Saying {
  if (values.length === 0) return { message: parts.join('') }
  const text = parts.map((part) => part.replaceAll('%', '%%')).join('%s')
  return { messageExpression: `${quote(text)}.format([${values.join(', ')}])` }
}

/** A literal of CEL. */
export function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`
}

/** True where the text that `value` stands for fits. RE2 knows no `i` behind a pattern. */
export function matches(value: string, { source, flags }: RegExp): string {
  return `${value}.matches(${quote(flags.includes('i') ? `(?i)${source}` : source)})`
}

/** `self.a.b` or, where it is left out, `otherwise`. Of an optional value (`?.`) the API server would not know the greatest length. */
export function valueOr(path: string, otherwise: string, self = 'self'): string {
  const steps = path.split('.')
  const there = steps.map((_, index) => `has(${[self, ...steps.slice(0, index + 1)].join('.')})`)
  return `(${there.join(' && ')} ? ${self}.${path} : ${otherwise})`
}

/** A list of those of `fields` that are given in `owner`. A sentence shows it as one: the API server takes what `join` makes for unlimited. */
export function given(owner: string, fields: readonly string[]): string {
  return fields.map((field) => `(has(${owner}.${field}) ? [${quote(field)}] : [])`).join(' + ')
}

/** One sentence or the other. */
export function sayEither(condition: string, yes: Saying, no: Saying): Saying {
  const expression = (saying: Saying): string =>
    'message' in saying ? quote(saying.message) : saying.messageExpression
  return { messageExpression: `${condition} ? ${expression(yes)} : ${expression(no)}` }
}

/** The duration that `text` stands for. The rule fails where it stands for none: ask `ifDurations`. */
export function durationOf(text: string): string {
  return `duration(${text})`
}

/** True where `text` is a duration. */
export function isDuration(text: string): string {
  return `${text}.matches('^([0-9]+(h|m|s|ms))+$')`
}

/** `rule`, if each of `texts` is a duration. The schema tells where one is not, and one finding is enough. */
export function ifDurations(texts: readonly string[], rule: string): string {
  return `!(${texts.map(isDuration).join(' && ')}) || ${rule}`
}
