import { expect, test } from 'vitest'
import { countedSent } from '../../src/feedback/sent-rule.ts'
import { SIGNAL_STATE } from '../../src/signals/schema.ts'

const row = (n: number, counts: object | null, change: object = {}) => ({
  ...{
    state: SIGNAL_STATE.live as number,
    counts: counts === null ? null : JSON.stringify(counts),
    disputed: false,
    n,
  },
  ...change,
})

test('a signal counts once in each figure, however many said so of it', () => {
  const rows = [
    row(5, null),
    row(3, { confirmed_action_taken: 4, confirmed_no_presence: 1 }),
    row(2, { confirmed_no_presence: 1, not_violating: 3 }, { disputed: true }),
    row(1, { ingested: 7 }, { state: SIGNAL_STATE.withdrawn }),
    row(4, { not_violating: 0 }),
  ]
  expect(countedSent(rows)).toEqual({
    ...{ sent: 15, answered: 6, confirmed: 5, not_violating: 2, disputed: 2, withdrawn: 1 },
  })
})

test('of nothing there is nothing', () => {
  expect(Object.values(countedSent([]))).toEqual([0, 0, 0, 0, 0, 0])
})
