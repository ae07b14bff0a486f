import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from '../../src/db/connect.ts'
import { createIntegrator } from '../../src/provenance/integrate.ts'

// A process that indexes beside a node until it is killed.
const REST_MS = 15
const [url = '', logId] = process.argv.slice(2)
const db = connect({ url, max: 1 })
const integrator = createIntegrator({ db, logId: Number(logId), salt: () => new Uint8Array(randomBytes(32)) })
for (;;) {
  // A round that fails is what a rival, a saboteur or the end of the database may do to it.
  await integrator.round().catch(() => 0)
  await delay(REST_MS)
}
