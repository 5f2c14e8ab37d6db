/** `card.yaml` in the model's folder: how raw input becomes the model's tensor, and its output an answer people read. */
export interface ModelCard {
  readonly task: 'ImageClassification'
  /** One label a class, in the order of the output. */
  readonly labels: readonly string[]
  /** Name of the model's output that holds one score a class. */
  readonly output: string
  readonly activation: 'None' | 'Softmax' | 'Sigmoid'
  readonly topK: number
  readonly image: ImagePreparation
}

export interface ImagePreparation {
  /** Name of the model's input. */
  readonly input: string
  readonly width: number
  readonly height: number
  readonly layout: 'NCHW' | 'NHWC'
  readonly colour: 'RGB' | 'BGR'
  /** Scales the shorter edge to `shortestEdge`; the longer follows. */
  readonly resize: { readonly shortestEdge: number; readonly kernel: 'Nearest' | 'Linear' | 'Cubic' | 'Lanczos3' }
  readonly crop: 'Center'
  /** Each channel becomes (value − mean) / scale, values 0 to 255. */
  readonly mean: readonly [number, number, number]
  readonly scale: readonly [number, number, number]
}
