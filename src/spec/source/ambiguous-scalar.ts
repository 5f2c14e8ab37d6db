const readings: readonly { readonly form: RegExp; readonly as11: string; readonly as12: string }[] = [
  { form: /^(?:y|yes|on)$/i, as11: 'true', as12: 'text' },
  { form: /^(?:n|no|off)$/i, as11: 'false', as12: 'text' },
  { form: /^[-+]?0[0-7]+$/, as11: 'an octal number', as12: 'a decimal one' },
  { form: /^0o[0-7]+$/, as11: 'text', as12: 'an octal number' },
  { form: /^[-+]?0b[01_]+$/, as11: 'a binary number', as12: 'text' },
  { form: /^[-+]?0x[0-9a-fA-F_]*_[0-9a-fA-F_]*$/, as11: 'a number', as12: 'text' },
  { form: /^[-+]?[0-9][0-9_]*_[0-9_]*(?:\.[0-9_]*)?$/, as11: 'a number', as12: 'text' },
  { form: /^[-+]?[0-9]{1,10}(?::[0-5]?[0-9]){1,10}(?:\.[0-9_]*)?$/, as11: 'a number to the base 60', as12: 'text' },
  { form: /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].{1,40})?$/, as11: 'a date', as12: 'text' },
  { form: /^[-+]?[0-9]+(?:\.[0-9]*)?[eE][0-9]+$/, as11: 'text', as12: 'a number' },
  { form: /^[-+]?[0-9]+[eE][-+][0-9]+$/, as11: 'text', as12: 'a number' },
]

/** A sentence when YAML 1.1 (kubectl, many Python tools) and YAML 1.2 read this unquoted scalar differently. */
export function explainAmbiguity(source: string): string | undefined {
  // Longer scalars are no numbers that people write.
  if (source.length > 64) return undefined
  const reading = readings.find(({ form }) => form.test(source))
  return (
    reading &&
    `\`${source}\` is ${reading.as11} to YAML 1.1 and ${reading.as12} to YAML 1.2; write it in quotes if it is text`
  )
}
