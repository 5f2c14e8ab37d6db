import type { SimulatedService } from './simulation.ts'

/** A model of 100 ms that starts in 10 s, meant to have 0.7 requests in flight for each replica. */
export const simulatedService: Omit<SimulatedService, 'burst'> = {
  minReplicas: 1,
  maxReplicas: 20,
  serviceS: 0.1,
  startS: 10,
  targetConcurrency: 0.7,
}
