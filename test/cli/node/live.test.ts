import { describe, expect, test } from 'vitest'
import { entriesMissing } from '../../../src/cli/node/live.ts'

const log = (log_id: number, size: bigint, closed_size: bigint | null = null) => ({ log_id, size, closed_size })

describe('what a backup lacks of the live logs', () => {
  const cases: readonly [rule: string, live: ReturnType<typeof log>[], backup: [number, string][], n: bigint][] = [
    ['is how much further its log has come', [log(1, 9n)], [[1, '7']], 2n],
    ['is nothing where no log has come further', [log(1, 7n)], [[1, '7']], 0n],
    ['is all of a log that began later', [log(1, 7n, 7n), log(2, 4n)], [[1, '7']], 4n],
    ['is summed over all logs', [log(1, 9n, 9n), log(2, 4n)], [[1, '7']], 6n],
    ['has nothing from behind the end of a closed log', [log(1, 12n, 9n), log(2, 4n)], [[1, '7']], 6n],
    ['is not less for what it has from behind the end', [log(1, 12n, 9n), log(2, 4n)], [[1, '12']], 4n],
    [
      'is not less for a log that the live database does not have',
      [log(1, 9n)],
      [
        [1, '7'],
        [2, '5'],
      ],
      2n,
    ],
    ['is all where the backup has no log', [log(1, 9n)], [], 9n],
  ]
  test.for(cases)('%s', ([, live, backup, n]) => {
    expect(
      entriesMissing(
        live,
        backup.map(([log_id, size]) => ({ log_id, size })),
      ),
    ).toBe(n)
  })
})
