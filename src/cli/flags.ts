import { parseDuration } from '../base/duration.ts'

/** Flags and arguments that several commands share, and how their words are read. */

export const json = { kind: 'boolean', default: false, brief: 'Print JSON for scripts', withNegated: false } as const
export const file = { brief: 'towline.yaml or towline.config.ts', parse: String, placeholder: 'FILE' } as const
export const oneService = { brief: 'The service', parse: String, placeholder: 'NAME' } as const
export const maybeService = { brief: 'One service', parse: String, optional: true, placeholder: 'NAME' } as const
export const target = {
  brief: 'Name of a service here, or its address',
  parse: String,
  placeholder: 'NAME|URL',
} as const
export const payload = {
  brief: 'A photo (JPEG, PNG, WebP) or a request as JSON',
  parse: String,
  placeholder: 'FILE',
} as const
export const timeout = {
  kind: 'parsed',
  parse: parseTime,
  default: '30s',
  placeholder: 'TIME',
  brief: 'Give up a request after this time',
} as const
export const overlay = {
  kind: 'parsed',
  parse: String,
  optional: true,
  placeholder: 'NAME',
  brief: 'Overlay: `production` applies towline.production.yaml',
} as const
export const envFile = {
  kind: 'parsed',
  parse: String,
  optional: true,
  placeholder: 'FILE',
  brief: 'Values for `env`, as NAME=value lines',
} as const
export const apiKeyFile = {
  kind: 'parsed',
  parse: String,
  optional: true,
  placeholder: 'FILE',
  brief: 'Keys for `expose.apiKeys`, as CALLER=KEY lines',
} as const
export const examples = (...lines: readonly string[]): string =>
  `Examples:\n${lines.map((line) => `  ${line}`).join('\n')}`

export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Infinity
  if (port > 65_535) throw new Error(`\`${text}\` is not a port; ports are 0 to 65535`)
  return port
}

export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`\`${text}\` is not a count; write a whole number from 1`)
  return Number(text)
}

export function parseTime(text: string): number {
  const durationMs = parseDuration(text)
  if (durationMs === undefined || durationMs === 0)
    throw new Error(`\`${text}\` is not a duration; write 30s, 10m or 1h30m`)
  return durationMs
}

export function parseReplicas(text: string): number {
  if (!/^\d{1,4}$/.test(text) || Number(text) > 1000)
    throw new Error(`\`${text}\` is not a number of replicas; write a whole number from 0 to 1000`)
  return Number(text)
}

export function parseRevision(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new Error(`\`${text}\` is not a revision; \`towline history NAME\` lists them by number`)
  return Number(text)
}

export function parseCuda(text: string): string {
  if (!/^\d{1,2}\.\d{1,2}(\.\d{1,3})?$/.test(text)) throw new Error(`\`${text}\` is not a version of CUDA; write 12.4`)
  return text
}

export function parseRate(text: string): number {
  const rate = /^\d{1,7}(\.\d{1,3})?$/.test(text) ? Number(text) : 0
  if (rate === 0) throw new Error(`\`${text}\` is not a rate; write requests per second, such as 50 or 0.5`)
  return rate
}
