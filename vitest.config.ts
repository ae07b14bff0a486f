import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.ts'

const DATABASE = [
  'test/**/{store,service,routes,publish,sealed-lookup,network-read,sent,pattern-read}.test.ts',
  'test/console/{browser,routes}/**/*.test.ts',
  'test/{db,http,jobs,e2e,security,faults,cli}/**/*.test.ts',
  'test/interop/*.test.ts',
]

/** Long explorations, on demand: `npm run proof`. */
const PROOF = 'test/proof/**/*.test.ts'

/** Every screen as a picture, to be looked at: `npm run screenshots`. */
const SCREENS = 'test/console/screens/**/*.screens.ts'

/** A busy machine is no failure: what is polled for has time. */
const PATIENT = { poll: { timeout: 20_000 } }

export default defineConfig({
  test: {
    // The same order each time, so that a run can be repeated; `npm test -- --sequence.seed=N` is another one.
    sequence: { sequencer: LongestFirst, seed: 1 },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...DATABASE, PROOF],
          // Rules without a world of their own: loading them anew for each file would take longer than they do.
          isolate: false,
          // After the others: they wait much, and these do not.
          sequence: { shuffle: true, groupOrder: 1 },
          maxWorkers: '100%',
          testTimeout: 30_000,
          expect: PATIENT,
        },
      },
      {
        test: {
          name: 'database',
          include: DATABASE,
          globalSetup: ['test/support/postgres.ts'],
          // A world of its own each has in its database; the program is loaded, and made fast, once for all of them.
          isolate: false,
          sequence: { shuffle: true },
          testTimeout: 60_000,
          hookTimeout: 120_000,
          expect: PATIENT,
          maxWorkers: 2,
        },
      },
      { test: { name: 'proof', include: [PROOF], globalSetup: ['test/support/postgres.ts'] } },
      {
        test: {
          name: 'screens',
          include: [SCREENS],
          globalSetup: ['test/support/postgres.ts'],
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
