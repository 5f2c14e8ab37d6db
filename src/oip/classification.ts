/** The answer to a photo: the best classes as three tensors of one length, so that every client of the protocol reads it. */

export interface ClassScore {
  readonly index: number
  readonly label: string
  /** 0 to 1 after softmax or sigmoid; the model's own number otherwise. */
  readonly score: number
}

export function renderClassification({
  modelName,
  id,
  classes,
}: {
  modelName: string
  id: string
  classes: readonly ClassScore[]
}): object {
  const shape = [classes.length]
  return {
    model_name: modelName,
    id,
    outputs: [
      { name: 'labels', datatype: 'BYTES', shape, data: classes.map(({ label }) => label) },
      { name: 'scores', datatype: 'FP32', shape, data: classes.map(({ score }) => score) },
      { name: 'indices', datatype: 'INT64', shape, data: classes.map(({ index }) => index) },
    ],
  }
}

/** The classes of such an answer, best first; undefined when it is another one. */
export function readClasses(body: unknown): ClassScore[] | undefined {
  const { outputs } = (body ?? {}) as { outputs?: readonly { name: string; data?: readonly unknown[] }[] } // read with care below
  if (!Array.isArray(outputs)) return undefined
  const data = (name: string): readonly unknown[] | undefined => outputs.find((output) => output.name === name)?.data
  const [labels, scores, indices] = [data('labels'), data('scores'), data('indices')]
  if (labels === undefined || scores === undefined || indices === undefined) return undefined
  return labels.map((label, at) => ({ label: String(label), score: Number(scores[at]), index: Number(indices[at]) }))
}
