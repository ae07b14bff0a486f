import { defineConfig } from 'vitest/config'

const DATABASE = ['test/**/{store,service,routes}.test.ts', 'test/{db,http,jobs,e2e,security,faults,cli}/**/*.test.ts']

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: DATABASE,
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
    ],
  },
})
