import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listForeignParts } from './foreign-parts.ts'

const pods = (spec: object) => ({ 'f:spec': { 'f:template': { 'f:spec': spec } } })
const server = (fields: object) => ({ 'f:containers': { 'k:{"name":"server"}': { '.': {}, ...fields } } })
const list = (...owners: readonly (readonly [string, object, string?])[]): readonly string[] =>
  listForeignParts({
    metadata: {
      managedFields: owners.map(([manager, fieldsV1, subresource]) => ({
        manager,
        fieldsV1,
        ...(subresource === undefined ? {} : { subresource }),
      })),
    },
  })

test('containers, settings, volumes and where pods go: what others added is named with who it was', () => {
  const added = {
    'f:containers': {
      'k:{"name":"proxy"}': { '.': {}, 'f:image': {} },
      'k:{"name":"server"}': { 'f:env': { 'k:{"name":"DEBUG"}': { '.': {} } } },
    },
    'f:volumes': { 'k:{"name":"certs"}': { '.': {} } },
    'f:nodeSelector': { 'f:pool': {} },
  }
  assert.deepEqual(list(['towline', pods(server({ 'f:image': {} }))], ['kubectl-edit', pods(added)]), [
    'containers[proxy] (kubectl-edit)',
    'env[DEBUG] (kubectl-edit)',
    'nodeSelector (kubectl-edit)',
    'volumes[certs] (kubectl-edit)',
  ])
})

test('what the spec says as well, and what controllers note, is not foreign', () => {
  const env = { 'f:env': { 'k:{"name":"MODE"}': { '.': {} } } }
  assert.deepEqual(
    list(
      ['towline', pods(server(env))],
      ['kubectl-client-side-apply', pods({ ...server(env), 'f:dnsPolicy': {} })],
      ['kubectl-rollout', { 'f:spec': { 'f:template': { 'f:metadata': { 'f:annotations': {} } } } }],
      ['kube-controller-manager', pods({ 'f:volumes': { 'k:{"name":"x"}': {} } }), 'status'],
    ),
    [],
  )
})
