import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { policyFault } from '../../src/participants/policy-form.ts'
import { SIGNAL_TYPES } from '../../src/participants/schema.ts'

type Kind = 'retention' | 'taxonomy'

const fault = (kind: Kind, policy: unknown) => policyFault(kind, policy, JSON.stringify(policy))
const configured = (kind: Kind): unknown =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../../config', `${kind}.json`), 'utf8'))

const days = (change: object = {}) => ({
  ...Object.fromEntries(SIGNAL_TYPES.map((type) => [type, { default: 90, maximum: 365 }])),
  ...change,
})
const retention = (change: object = {}) => ({ version: 1, signal_days: days(), read_journal_days: 400, ...change })
const fruit = { id: 1, slug: 'fruit', needs_note: false }
const taxonomy = (...categories: object[]) => ({ version: 1, categories })

test.for<Kind>(['retention', 'taxonomy'])('the policy %s of config is one', (kind) => {
  expect(fault(kind, configured(kind))).toBeUndefined()
})

test.for<[what: string, kind: Kind, policy: unknown]>([
  ['whose type may not live', 'retention', retention({ signal_days: days({ ip: { default: 0, maximum: 0 } }) })],
  ['whose default is the maximum', 'retention', retention({ signal_days: days({ ip: { default: 9, maximum: 9 } }) })],
  ['of two categories', 'taxonomy', taxonomy(fruit, { ...fruit, id: 2, slug: 'bird' })],
])('a policy %s is one', ([, kind, policy]) => {
  expect(fault(kind, policy)).toBeUndefined()
})

test.for<[what: string, kind: Kind, policy: unknown]>([
  ['of no members', 'retention', {}],
  ['that is null', 'retention', null],
  ['without a type', 'retention', retention({ signal_days: days({ url: undefined }) })],
  ['of another type', 'retention', retention({ signal_days: days({ plum: { default: 1, maximum: 2 } }) })],
  ['whose days are a text', 'retention', retention({ signal_days: days({ url: { default: 1, maximum: '2' } }) })],
  [
    'whose days are no whole number',
    'retention',
    retention({ signal_days: days({ url: { default: 1, maximum: 2.5 } }) }),
  ],
  [
    'whose default is above the maximum',
    'retention',
    retention({ signal_days: days({ url: { default: 3, maximum: 2 } }) }),
  ],
  ['that keeps reads for no day', 'retention', retention({ read_journal_days: 0 })],
  ['that keeps reads for ever', 'retention', retention({ read_journal_days: 36_501 })],
  ['with another member', 'retention', retention({ plum: 1 })],
  ['of no members', 'taxonomy', {}],
  ['that is a list', 'taxonomy', []],
  ['whose categories are none', 'taxonomy', { version: 1, categories: {} }],
  ['of a category without a number', 'taxonomy', taxonomy({ slug: 'fruit', needs_note: false })],
  ['of a category that no signal can name', 'taxonomy', taxonomy({ ...fruit, slug: 'A fruit' })],
  ['of a number that is not stored', 'taxonomy', taxonomy({ ...fruit, id: 32_768 })],
  ['of one number twice', 'taxonomy', taxonomy(fruit, { ...fruit, slug: 'bird' })],
  ['of one slug twice', 'taxonomy', taxonomy(fruit, { ...fruit, id: 2 })],
  ['of a category with another member', 'taxonomy', taxonomy({ ...fruit, plum: 1 })],
])('a policy %s is no %s policy', ([, kind, policy]) => {
  expect(fault(kind, policy)).toContain('version')
})
