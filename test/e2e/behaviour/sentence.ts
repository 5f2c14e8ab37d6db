import type { BehaviourPlace, Ways } from './place.ts'

/** What holds of services wherever they run. */
export interface Sentence {
  readonly name: string
  /** A place that cannot do it says why. */
  readonly needs?: keyof Ways['lacks']
  /** `service` is a name that nobody has used there. */
  hold(place: BehaviourPlace, service: string): Promise<void>
}

/** There all the time, beside the one that is spoken of: an engine ends with its last service. */
export const stays = 'stays'
export const two = { replicas: 2, colour: 'red' }
export const blue = { ...two, colour: 'blue' }
