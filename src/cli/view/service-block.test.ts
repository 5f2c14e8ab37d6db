import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readRecordedLook } from '../../../test/kit/recorded-look.ts'
import { explainService } from '../../cluster/explain/explain-service.ts'
import { describeService } from '../../control/cluster/service-status.ts'
import { renderService } from './service-block.ts'

const plain = { style: (_style: unknown, text: string): string => text }

const show = (name: string): string => {
  const look = readRecordedLook(name)
  return renderService(
    plain,
    describeService(look, explainService(look)),
    Date.parse(look.atMs === undefined ? '' : ''),
  )
}
