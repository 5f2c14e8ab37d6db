import type { Event } from 'kubernetes-types/events/v1.js'

/** Milliseconds since 1970 of a time as the API writes it; undefined where there is none. */
export function readTimeMs(time: string | null | undefined): number | undefined {
  const ms = typeof time === 'string' ? Date.parse(time) : Number.NaN
  // The zero time of Go stands for none, and 1970 for a container that never started.
  return Number.isFinite(ms) && ms > 0 ? ms : undefined
}

/** When it was seen first. Components write events in an older and a newer form. */
export function firstSeenMs({ eventTime, deprecatedFirstTimestamp, metadata }: Event): number {
  return readTimeMs(eventTime) ?? readTimeMs(deprecatedFirstTimestamp) ?? readTimeMs(metadata?.creationTimestamp) ?? 0
}

/** When it was seen last. */
export function lastSeenMs(event: Event): number {
  return readTimeMs(event.series?.lastObservedTime) ?? readTimeMs(event.deprecatedLastTimestamp) ?? firstSeenMs(event)
}
