import assert from 'node:assert/strict'
import { test } from 'node:test'
import { given, matches, quote, say, sayEither, valueOr } from './rule.ts'

test('a sentence without values is a message, one with values is CEL that keeps a percent sign', () => {
  assert.deepEqual(say`give one of them`, { message: 'give one of them' })
  assert.deepEqual(say`100 % of ${'self.a'} isn't ${'self.b'}`, {
    messageExpression: String.raw`'100 %% of %s isn\'t %s'.format([self.a, self.b])`,
  })
})

test('one sentence or the other is one expression, whatever they are made of', () => {
  assert.deepEqual(sayEither('has(self.a)', say`it's there`, say`${'self.b'} is not`), {
    messageExpression: String.raw`has(self.a) ? 'it\'s there' : '%s is not'.format([self.b])`,
  })
})

test('a literal keeps backslashes and quotes', () => {
  assert.equal(quote(String.raw`a\d'b`), String.raw`'a\\d\'b'`)
})

test('a pattern without case says so at its start, as RE2 wants it', () => {
  assert.equal(matches('self', /^a\d$/i), String.raw`self.matches('(?i)^a\\d$')`)
  assert.equal(matches('self', /^a$/), `self.matches('^a$')`)
})

test('a value is asked for at each step of its way', () => {
  assert.equal(valueOr('a.b', '1'), '(has(self.a) && has(self.a.b) ? self.a.b : 1)')
  assert.equal(valueOr('a', '0', 'step'), '(has(step.a) ? step.a : 0)')
  assert.equal(given('self', ['a', 'b']), `(has(self.a) ? ['a'] : []) + (has(self.b) ? ['b'] : [])`)
})
