const units = [
  ['Gi', 1024 ** 3],
  ['Mi', 1024 ** 2],
  ['Ki', 1024],
] as const

/** 1500 of `cpu` → `1500m`, 17179869184 of `memory` → `16Gi`, 1073741825 → `1.1Gi`: as it could stand in a spec, with one digit at most. */
export function formatAmount(resource: string, amount: number): string {
  const name = resource.replace(/^(requests|limits)\./, '')
  if (name === 'cpu') return amount % 1000 === 0 ? String(amount / 1000) : `${amount}m`
  if (!/^(memory|ephemeral-storage|hugepages-.*)$/.test(name)) return String(amount)
  const [unit, size] = units.find(([, each]) => amount >= each) ?? ['', 1]
  return `${Number((amount / size).toFixed(1))}${unit}`
}
