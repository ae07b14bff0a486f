import { defineConfig } from 'vitest/config'

const DATABASE = [
  'test/**/{store,service,routes,publish,sealed-lookup,network-read,sent,pattern-read}.test.ts',
  'test/console/{browser,routes}/**/*.test.ts',
  'test/{db,http,jobs,e2e,security,faults,cli,interop}/**/*.test.ts',
]

/** Long explorations, on demand: `npm run proof`. */
const PROOF = 'test/proof/**/*.test.ts'

/** Every screen as a picture, to be looked at: `npm run screenshots`. */
const SCREENS = 'test/console/screens/**/*.screens.ts'

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...DATABASE, PROOF],
          sequence: { shuffle: true },
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'database',
          include: DATABASE,
          globalSetup: ['test/support/postgres.ts'],
          sequence: { shuffle: true },
          testTimeout: 30_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
      { test: { name: 'proof', include: [PROOF] } },
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
