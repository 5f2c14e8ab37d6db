/** Numbers in [0, 1); the same seed gives the same ones (sfc32 by Chris Doty-Humphrey). */
export type Random = () => number

export function createRandom(seed: number): Random {
  let [a, b, c, counter] = [0, seed | 0, Math.imul(seed, 0x9e3779b9) | 0, 1]
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    return (sum >>> 0) / 2 ** 32
  }
  for (let index = 0; index < 15; index++) next()
  return next
}

/** How many of many independent things happen, by inversion; rounded from the normal above a mean of 60. */
export function drawPoisson(random: Random, mean: number): number {
  if (mean <= 0) return 0
  if (mean > 60) return Math.max(0, Math.round(mean + Math.sqrt(mean) * drawNormal(random)))
  let term = Math.exp(-mean)
  let rest = random() - term
  let count = 0
  while (rest > 0 && count < 1000) {
    count++
    term *= mean / count
    rest -= term
  }
  return count
}

function drawNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}
