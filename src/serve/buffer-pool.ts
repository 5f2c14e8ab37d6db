export interface BufferPool {
  readonly take: (sizeBytes: number) => ArrayBuffer
  readonly giveBack: (buffers: readonly ArrayBuffer[]) => void
}

/** Below this the allocator is as fast as any pool. */
const minBytes = 65_536

/** Request buffers come back from the model threads; callers that send the same size again get them without allocation. */
export function createBufferPool(keep: number): BufferPool {
  let free: ArrayBuffer[] = []
  return {
    take(sizeBytes) {
      const at = sizeBytes < minBytes ? -1 : free.findIndex(({ byteLength }) => byteLength === sizeBytes)
      return at === -1 ? new ArrayBuffer(sizeBytes) : (free.splice(at, 1)[0] ?? new ArrayBuffer(sizeBytes))
    },
    giveBack(buffers) {
      free = [...buffers.filter(({ byteLength }) => byteLength >= minBytes), ...free].slice(0, keep)
    },
  }
}
