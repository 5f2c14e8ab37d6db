import assert from 'node:assert/strict'
import { resources } from '../../../../src/kube/resources.ts'
import type { ConformanceCase } from './case.ts'
import { valueAt } from './probe.ts'
import { container, deployment } from './samples.ts'

const { deployments, horizontalPodAutoscalers, networkPolicies, secrets, services } = resources

/** What the server fills in, and how it spells. */
export const defaultCases: readonly ConformanceCase[] = [
  {
    name: 'what a Deployment does not say is filled in',
    async run({ create }) {
      const probed = container({
        ports: [{ containerPort: 80 }],
        env: [{ name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
        readinessProbe: { httpGet: { port: 80 } },
        lifecycle: { preStop: { httpGet: { port: 80 } } },
        resources: { limits: { cpu: '1' } },
      })
      const latest = { name: 'b', image: 'host:5000/b' }
      const pinned = { name: 'c', image: `host:5000/c@sha256:${'0'.repeat(64)}` }
      const volumes = [
        { name: 'v', configMap: { name: 'm' } },
        { name: 'e', emptyDir: {} },
      ]
      const spec = deployment({ replicas: 0 }, [probed, latest, pinned])
      const template = valueAt(spec, 'spec.template') as { spec: object }
      const whole = {
        ...spec,
        spec: {
          ...(spec['spec'] as object),
          template: { ...template, spec: { ...template.spec, volumes, serviceAccountName: 's' } },
        },
      }
      const { body } = await create(deployments, whole)
      const { template: filled, selector, ...rest } = body['spec'] as Record<string, unknown>
      assert.deepEqual(selector, { matchLabels: { app: 'd' } })
      assert.deepEqual(rest, {
        replicas: 0,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
      })
      const logs = { terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' }
      const times = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 }
      assert.deepEqual(valueAt(filled, 'spec'), {
        volumes: [
          { name: 'v', configMap: { name: 'm', defaultMode: 420 } },
          { name: 'e', emptyDir: {} },
        ],
        containers: [
          {
            ...probed,
            ...logs,
            imagePullPolicy: 'IfNotPresent',
            ports: [{ containerPort: 80, protocol: 'TCP' }],
            env: [{ name: 'POD', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } }],
            readinessProbe: { ...times, httpGet: { path: '/', port: 80, scheme: 'HTTP' } },
            lifecycle: { preStop: { httpGet: { path: '/', port: 80, scheme: 'HTTP' } } },
          },
          { ...latest, ...logs, resources: {}, imagePullPolicy: 'Always' },
          { ...pinned, ...logs, resources: {}, imagePullPolicy: 'IfNotPresent' },
        ],
        restartPolicy: 'Always',
        terminationGracePeriodSeconds: 30,
        dnsPolicy: 'ClusterFirst',
        serviceAccountName: 's',
        serviceAccount: 's',
        securityContext: {},
        schedulerName: 'default-scheduler',
      })
    },
  },
  {
    name: 'what other kinds do not say is filled in',
    async run({ create }) {
      const service = await create(services, {
        metadata: { name: 's' },
        spec: { selector: { app: 'x' }, ports: [{ port: 80 }, { name: 'b', port: 81, targetPort: 'b' }].slice(0, 1) },
      })
      const { clusterIP, clusterIPs, ...serviceSpec } = service.body['spec'] as Record<string, unknown>
      assert.match(String(clusterIP), /^10\.96\./)
      assert.deepEqual(clusterIPs, [clusterIP])
      assert.deepEqual(serviceSpec, {
        ports: [{ protocol: 'TCP', port: 80, targetPort: 80 }],
        selector: { app: 'x' },
        type: 'ClusterIP',
        sessionAffinity: 'None',
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
        internalTrafficPolicy: 'Cluster',
      })
      const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' }
      const behavior = { scaleDown: { stabilizationWindowSeconds: 10 } }
      const autoscaler = await create(horizontalPodAutoscalers, {
        metadata: { name: 'h' },
        spec: { scaleTargetRef, maxReplicas: 3, behavior },
      })
      const quarter = { type: 'Percent', value: 100, periodSeconds: 15 }
      assert.deepEqual(autoscaler.body['spec'], {
        scaleTargetRef,
        minReplicas: 1,
        maxReplicas: 3,
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
        ],
        behavior: {
          scaleUp: {
            stabilizationWindowSeconds: 0,
            selectPolicy: 'Max',
            policies: [{ type: 'Pods', value: 4, periodSeconds: 15 }, quarter],
          },
          scaleDown: { stabilizationWindowSeconds: 10, selectPolicy: 'Max', policies: [quarter] },
        },
      })
      const policy = await create(networkPolicies, {
        metadata: { name: 'n' },
        spec: { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] },
      })
      assert.deepEqual(policy.body['spec'], {
        podSelector: {},
        ingress: [{ ports: [{ port: 80, protocol: 'TCP' }] }],
        policyTypes: ['Ingress'],
      })
      const secret = await create(secrets, { metadata: { name: 's' }, stringData: { a: 'b' } })
      assert.deepEqual(
        [secret.body['data'], secret.body['type'], secret.body['stringData']],
        [{ a: 'Yg==' }, 'Opaque', undefined],
      )
    },
  },
  {
    name: 'quantities are kept in one spelling',
    async run({ create }) {
      const limits = { cpu: '1000m', memory: '1024Mi', 'example.com/a': 2, 'ephemeral-storage': '1.5Gi' }
      const { body } = await create(deployments, deployment({ replicas: 0 }, [container({ resources: { limits } })]))
      assert.deepEqual(valueAt(body, 'spec.template.spec.containers.0.resources.limits'), {
        cpu: '1',
        memory: '1Gi',
        'example.com/a': '2',
        'ephemeral-storage': '1536Mi',
      })
      const odd = { cpu: '0.1', memory: '1500000', 'ephemeral-storage': '512Ki' }
      const other = {
        ...deployment({ replicas: 0 }, [container({ resources: { limits: odd } })]),
        metadata: { name: 'e' },
      }
      const { body: second } = await create(deployments, other)
      assert.deepEqual(valueAt(second, 'spec.template.spec.containers.0.resources.limits'), {
        cpu: '100m',
        memory: '1500k',
        'ephemeral-storage': '512Ki',
      })
    },
  },
]
