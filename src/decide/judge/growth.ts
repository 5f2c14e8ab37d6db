import type { Bet } from './bet.ts'

/** How the logarithm of a stake grows in one window: what is expected, and how much that varies. */
export interface Growth {
  readonly mean: number
  readonly variance: number
}

interface Chance {
  readonly value: number
  readonly weight: number
}

/** In a window with so many requests, where each revision answers badly with its own share, each answer by itself. */
export function growthOf(
  kind: (bet: Bet, size: number) => number,
  bet: Omit<Bet, 'candidate' | 'stable'>,
  requests: { readonly candidate: number; readonly stable: number },
  shares: { readonly candidate: number; readonly stable: number },
  size: number,
): Growth {
  let mean = 0
  let square = 0
  const stables = roughly(requests.stable * shares.stable)
  for (const candidate of counts(requests.candidate * shares.candidate))
    for (const stable of stables) {
      const tallies = {
        candidate: { requests: requests.candidate, bad: Math.min(candidate.value, requests.candidate) },
        stable: { requests: requests.stable, bad: Math.min(stable.value, requests.stable) },
      }
      const growth = Math.log(Math.max(1e-9, kind({ ...bet, ...tallies }, size)))
      const weight = candidate.weight * stable.weight
      mean += weight * growth
      square += weight * growth ** 2
    }
  return { mean, variance: Math.max(0, square - mean ** 2) }
}

/** Poisson, or where that has many terms the normal distribution it comes close to. */
function counts(mean: number): readonly Chance[] {
  if (mean > 50) {
    const points = Array.from({ length: 17 }, (_, index) => (index - 8) / 2)
    const sum = points.reduce((total, z) => total + Math.exp(-(z ** 2) / 2), 0)
    return points.map((z) => ({
      value: Math.max(0, mean + z * Math.sqrt(mean)),
      weight: Math.exp(-(z ** 2) / 2) / sum,
    }))
  }
  const chances: Chance[] = []
  const most = Math.ceil(mean + 8 * Math.sqrt(mean) + 5)
  let weight = Math.exp(-mean)
  for (let value = 0; value <= most; value++) {
    chances.push({ value, weight })
    weight *= mean / (value + 1)
  }
  return chances
}

/** Three points with the right mean and variance are enough for the many requests of the stable revision. */
function roughly(mean: number): readonly Chance[] {
  if (mean < 3) return counts(mean)
  const away = Math.sqrt(3 * mean)
  return [
    { value: Math.max(0, mean - away), weight: 1 / 6 },
    { value: mean, weight: 2 / 3 },
    { value: mean + away, weight: 1 / 6 },
  ]
}
