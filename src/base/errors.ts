/**
 * Every failure Towline can report, as one table. `exit` is the exit code of a command, `http` the status of an answer,
 * `say` the sentence before the detail. A code is never reused for another meaning; retired codes are listed below.
 */
export const codes = {
  // usage and files
  TL_USAGE: { exit: 2, http: 400, say: 'The command was not understood' },
  TL_FILE_MISSING: { exit: 2, http: 404, say: 'A file is missing' },
  TL_FILE_UNREADABLE: { exit: 2, http: 500, say: 'A file cannot be read' },
  TL_FILE_UNWRITABLE: { exit: 1, http: 500, say: 'A file cannot be written' },
  TL_FILE_EXISTS: { exit: 2, http: 409, say: 'A file is already there' },
  TL_PLATFORM: { exit: 2, http: 501, say: 'This platform is not supported' },
  TL_SPEC_INVALID: { exit: 2, http: 422, say: 'The spec has errors' },
  TL_SPEC_UNSUPPORTED: { exit: 2, http: 422, say: 'The spec asks for something that is not supported yet' },
  // model and replica
  TL_MODEL_MISSING: { exit: 2, http: 404, say: 'There is no such model' },
  TL_MODEL_UNLOADABLE: { exit: 1, http: 500, say: 'The model cannot be loaded' },
  TL_MODEL_FAILED: { exit: 1, http: 500, say: 'The model failed on this input' },
  TL_MODEL_TIMEOUT: { exit: 1, http: 504, say: 'The model gave no answer in time' },
  TL_CARD_INVALID: { exit: 2, http: 422, say: 'The model card has errors' },
  // requests
  TL_REQUEST_INVALID: { exit: 2, http: 400, say: 'The request does not fit' },
  TL_REQUEST_TOO_LARGE: { exit: 2, http: 413, say: 'The request is too large' },
  TL_REQUEST_TIMEOUT: { exit: 1, http: 408, say: 'The request did not arrive in time' },
  TL_MEDIA_UNSUPPORTED: { exit: 2, http: 415, say: 'The content type is not supported' },
  TL_IMAGE_INVALID: { exit: 2, http: 400, say: 'The image cannot be decoded' },
  TL_KEY_REFUSED: { exit: 2, http: 401, say: 'The API key was refused' },
  TL_ROUTE_UNKNOWN: { exit: 2, http: 404, say: 'There is nothing at this address' },
  TL_METHOD_UNSUPPORTED: { exit: 2, http: 405, say: 'This method is not supported here' },
  TL_VERSION_UNSUPPORTED: { exit: 2, http: 404, say: 'There is no such model version' },
  TL_OVERLOADED: { exit: 1, http: 503, say: 'The service is at its limit' },
  TL_NOT_READY: { exit: 1, http: 503, say: 'The service is not ready' },
  TL_UPSTREAM_FAILED: { exit: 1, http: 502, say: 'No replica could answer' },
  TL_UPSTREAM_TIMEOUT: { exit: 1, http: 504, say: 'The replica gave no answer in time' },
  TL_LOAD_FAILED: { exit: 1, http: 502, say: 'Not every request was answered' },
  // engine
  TL_ENGINE_MISSING: { exit: 3, http: 503, say: 'No engine is running here' },
  TL_ENGINE_RUNNING: { exit: 1, http: 409, say: 'Another engine runs in this folder' },
  TL_ENGINE_START: { exit: 1, http: 500, say: 'The engine did not start' },
  TL_ENGINE_LOST: { exit: 1, http: 503, say: 'The engine stopped answering' },
  TL_SERVICE_UNKNOWN: { exit: 3, http: 404, say: 'There is no such service here' },
  TL_ROLLOUT_REJECTED: { exit: 1, http: 409, say: 'The new revision was rejected' },
  TL_ROLLOUT_REFUSED: { exit: 1, http: 409, say: 'The rollout cannot do that now' },
  TL_ROLLOUT_PAUSED: { exit: 1, http: 409, say: 'The rollout waits for a person' },
  TL_TEST_FAILED: { exit: 1, http: 409, say: 'The checks were not passed' },
  TL_GATE_CLOSED: { exit: 1, http: 409, say: 'The gate is closed' },
  TL_SERVICE_FAILED: { exit: 1, http: 500, say: 'The service did not become ready' },
  TL_PORT_TAKEN: { exit: 1, http: 409, say: 'The port is taken' },
  TL_ADDRESS_UNUSABLE: { exit: 1, http: 409, say: 'The address cannot be listened on' },
  TL_STATE_UNUSABLE: { exit: 1, http: 500, say: 'The state in this folder cannot be used' },
  TL_DISK_FULL: { exit: 1, http: 507, say: 'The disk is full' },
  // images and registries
  TL_REFERENCE_INVALID: { exit: 2, http: 400, say: 'The name of an image is not understood' },
  TL_IMAGE_MISSING: { exit: 3, http: 404, say: 'There is no such container image' },
  TL_IMAGE_UNREADABLE: { exit: 1, http: 500, say: 'A container image cannot be read' },
  TL_BLOB_MISMATCH: { exit: 1, http: 502, say: 'What arrived is not what was asked for' },
  TL_BASE_UNFIT: { exit: 2, http: 422, say: 'The base image does not fit' },
  TL_LAYER_TOO_LARGE: { exit: 2, http: 413, say: 'A layer is larger than registries take' },
  TL_CONTEXT_REFUSED: { exit: 2, http: 422, say: 'A file must not go into an image' },
  TL_LOCK_UNREADABLE: { exit: 2, http: 422, say: 'The lock cannot be used' },
  TL_LOCK_MISMATCH: { exit: 1, http: 409, say: 'The image is not the one that the lock names' },
  TL_PACKAGE_MISMATCH: { exit: 1, http: 502, say: 'A package is not the one that the lock names' },
  TL_PACKAGE_UNAVAILABLE: { exit: 1, http: 502, say: 'A package cannot be fetched' },
  TL_REGISTRY_UNREACHABLE: { exit: 1, http: 503, say: 'The registry cannot be reached' },
  TL_REGISTRY_REFUSED: { exit: 1, http: 403, say: 'The registry refused access' },
  TL_REGISTRY_FAILED: { exit: 1, http: 502, say: 'The registry did not take or give what was asked' },
  // cluster
  TL_KUBECONFIG_UNUSABLE: { exit: 2, http: 400, say: 'The access to a cluster cannot be used' },
  TL_CLUSTER_UNREACHABLE: { exit: 1, http: 503, say: 'The cluster cannot be reached' },
  TL_CLUSTER_UNAUTHORIZED: { exit: 1, http: 401, say: 'The cluster does not know you' },
  TL_CLUSTER_FORBIDDEN: { exit: 1, http: 403, say: 'The cluster refused access' },
  TL_CLUSTER_REFUSED: { exit: 1, http: 422, say: 'The cluster did not take what was asked' },
  TL_CLUSTER_CONFLICT: { exit: 1, http: 409, say: 'Somebody else changed it in the meantime' },
  TL_CLUSTER_FAILED: { exit: 1, http: 502, say: 'The cluster failed' },
  TL_DEPLOY_FAILED: { exit: 1, http: 409, say: 'The new revision does not get ready' },
  TL_DEPLOY_IMPOSSIBLE: { exit: 1, http: 409, say: 'The cluster has no room for it' },
  TL_CANCELLED: { exit: 130, http: 499, say: 'Stopped on request' },
} as const satisfies Record<`TL_${string}`, { exit: number; http: number; say: string }>

export type ErrorCode = keyof typeof codes

/** A failure with a code of the table, the detail with the value seen, and what to do about it. */
export class TowlineError extends Error {
  readonly code: ErrorCode
  readonly detail: string
  readonly hint: string | undefined

  constructor(code: ErrorCode, detail: string, more: { hint?: string; cause?: unknown } = {}) {
    super(`${codes[code].say}: ${detail}`, more.cause === undefined ? undefined : { cause: more.cause })
    this.name = 'TowlineError'
    this.code = code
    this.detail = detail
    this.hint = more.hint
  }
}

/** True when `error` carries this system error code, e.g. `ENOENT`. */
export function hasErrno(error: unknown, ...errnos: string[]): boolean {
  return error instanceof Error && 'code' in error && errnos.includes(String(error.code))
}
