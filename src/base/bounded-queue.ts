/** First in, first out, with a limit on the sum of weights. Full means refused at once: waiting is the caller's choice. */
export class BoundedQueue<T> {
  readonly maxWeight: number
  #items: ({ item: T; weight: number } | undefined)[] = []
  #head = 0
  #weight = 0

  constructor(maxWeight: number) {
    this.maxWeight = maxWeight
  }

  get length(): number {
    return this.#items.length - this.#head
  }

  get weight(): number {
    return this.#weight
  }

  /** False when it does not fit. An item heavier than the whole queue fits only into an empty one. */
  push(item: T, weight = 1): boolean {
    if (this.#weight + weight > this.maxWeight && this.length > 0) return false
    this.#items.push({ item, weight })
    this.#weight += weight
    return true
  }

  shift(): T | undefined {
    const entry = this.#items[this.#head]
    if (entry === undefined) return undefined
    this.#items[this.#head++] = undefined
    this.#weight -= entry.weight
    // Compact rarely, so that a long queue costs no copying for each item taken.
    if (this.#head > 64 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return entry.item
  }

  peek(): T | undefined {
    return this.#items[this.#head]?.item
  }

  /** Takes out every item that fits `condition`, in order. */
  remove(condition: (item: T) => boolean): T[] {
    const removed: T[] = []
    const kept: { item: T; weight: number }[] = []
    for (const entry of this.#items.slice(this.#head)) {
      if (entry === undefined) continue
      if (condition(entry.item)) {
        removed.push(entry.item)
        this.#weight -= entry.weight
      } else kept.push(entry)
    }
    this.#items = kept
    this.#head = 0
    return removed
  }
}
