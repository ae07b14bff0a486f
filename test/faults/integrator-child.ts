import { randomBytes } from 'node:crypto'
import { connect } from '../../src/db/connect.ts'
import { createIntegrator } from '../../src/provenance/integrate.ts'

// A worker process that indexes without a pause until it is killed: by its parent, or by itself in the gap before the n-th
// statement of a round that has something to index, counted from the first one that writes.
const [url = '', gap] = process.argv.slice(2)
let left = gap === undefined ? Number.POSITIVE_INFINITY : Number(gap)
let writing = false
const db = connect({
  ...{ url, role: 'aldis_integrator', max: 1 },
  statementLog: (sql) => {
    writing ||= /insert into log_event/.test(sql)
    if (writing && left === 0) process.kill(process.pid, 'SIGKILL')
    if (writing) left -= 1
  },
})
const integrator = createIntegrator({ db, logId: 1, salt: () => new Uint8Array(randomBytes(32)) })
// A round that fails is what a rival may do to it.
for (;;) await integrator.round().catch(() => 0)
