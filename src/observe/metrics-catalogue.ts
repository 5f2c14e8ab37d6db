/** Every metric of a replica, as data: what is registered, documented and drawn comes from here. Times in seconds. */

const latencyBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export const replicaMetrics = {
  requests: {
    kind: 'Counter',
    name: 'towline_requests_total',
    help: 'Inference requests answered, by HTTP status',
    labels: ['model', 'code'],
  },
  requestSeconds: {
    kind: 'Histogram',
    name: 'towline_request_duration_seconds',
    help: 'From the head of an inference request to the end of its answer',
    labels: ['model'],
    buckets: latencyBuckets,
  },
  queueSeconds: {
    kind: 'Histogram',
    name: 'towline_queue_duration_seconds',
    help: 'Wait of an inference for a free worker',
    labels: ['model'],
    buckets: latencyBuckets,
  },
  inferenceSeconds: {
    kind: 'Histogram',
    name: 'towline_inference_duration_seconds',
    help: 'Run of the model itself',
    labels: ['model'],
    buckets: latencyBuckets,
  },
  rows: { kind: 'Counter', name: 'towline_rows_total', help: 'Rows inferred', labels: ['model'] },
  inFlight: {
    kind: 'Gauge',
    name: 'towline_requests_in_flight',
    help: 'Inference requests not yet answered',
    labels: ['model'],
  },
  queuedRows: { kind: 'Gauge', name: 'towline_queued_rows', help: 'Rows that wait for a worker', labels: ['model'] },
} as const
