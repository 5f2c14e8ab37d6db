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
