import { connect } from '../../src/db/connect.ts'
import { backup } from '../../src/operations/backup.ts'
import { logStandings } from '../../src/provenance/standing.ts'

// A backup that stops for ever before a table, and says so; its parent kills it there.
const [url = '', dir = '', before = ''] = process.argv.slice(2)
await backup({
  ...{ db: connect({ url, max: 1 }), dir, clock: () => new Date(), release: '0.1.0', beside: [] },
  standings: logStandings,
  onTable: (table) => {
    if (table !== before) return
    process.stdout.write('here\n')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  },
})
