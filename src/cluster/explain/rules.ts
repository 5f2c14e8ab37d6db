import { findRefusedPods } from './creating/refused-pods.ts'
import { findPullFailure } from './image/image-pull.ts'
import { findUnusableReference } from './image/image-reference.ts'
import { findEvicted } from './node/evicted.ts'
import { findLostNode } from './node/lost.ts'
import { findMountFailure } from './node/mount.ts'
import { findSandboxFailure } from './node/sandbox.ts'
import { findUnplaced } from './placing/unplaced.ts'
import { findPassedDeadline } from './serving/deadline.ts'
import { findBlockedDrain } from './serving/disruption.ts'
import { findClosedService } from './serving/ports.ts'
import { findBlindAutoscaler } from './serving/scaling.ts'
import type { PodRule, ServiceRule } from './sight.ts'
import { findCrash } from './start/crash.ts'
import { findLivenessKill } from './start/liveness.ts'
import { findUnmadeContainer } from './start/missing-reference.ts'
import { findOutOfMemory } from './start/out-of-memory.ts'
import { findSlowStartup } from './start/startup-too-slow.ts'
import { findUnready } from './start/unready.ts'

/**
 * A pod has one cause: that of the first rule that knows it. What says most comes first: a container that was killed by its node
 * also looks like one that crashed.
 */
export const podRules: readonly PodRule[] = [
  findUnplaced,
  findUnusableReference,
  findPullFailure,
  findUnmadeContainer,
  findMountFailure,
  findSandboxFailure,
  findLostNode,
  findOutOfMemory,
  findSlowStartup,
  findLivenessKill,
  findCrash,
  findUnready,
  findEvicted,
]

/** All that know something are heard; the deadline is the least that can be said. */
export const serviceRules: readonly ServiceRule[] = [
  findRefusedPods,
  findClosedService,
  findBlindAutoscaler,
  findBlockedDrain,
  findPassedDeadline,
]
