/** The thread of look-ups: see `lookUpsThread`. It imports what they need and no more, since each thread has its own copy. */
import { parentPort, workerData } from 'node:worker_threads'
import { connect } from './db/connect.ts'
import { createLookUpTransaction } from './feeds/lookup-transaction.ts'
import { systemClock } from './kernel/clock.ts'
import type { Uuid } from './kernel/ids.ts'
import { fileKeys } from './keys/file.ts'
import { failureOf, type Handed, type Order, type Outcome } from './look-ups.ts'
import { createProvenanceService } from './provenance/service.ts'

const { url, embedded, connections, keysDir, logId, origin, timeoutMs } = workerData as Handed
const port = parentPort
if (port === null) throw new Error('this is no program of its own')
const tell = (outcome: Outcome): void => port.postMessage(outcome)

const db = connect({ url, role: 'aldis_app', max: connections, keepsStatements: embedded })
const keys = fileKeys(keysDir)
const names = new Map<Uuid, string>()
const carryOut = createLookUpTransaction({
  ...{ db, clock: systemClock, timeoutMs },
  provenance: createProvenanceService({
    ...{ db, ledger: db, clock: systemClock, keys, logId, origin },
    ...{ onWake: () => {}, healthy: () => true },
  }),
  slugOf(participant) {
    const slug = names.get(participant)
    if (slug === undefined) throw new Error('a participant whose name this thread was not told')
    return slug
  },
})

port.on('message', (order: Order) => {
  if (order.order === 'look up') {
    const { id, group } = order
    carryOut(group).then(
      (answers) => tell({ id, answers }),
      (error: unknown) => tell({ id, failure: failureOf(error) }),
    )
  } else if (order.order === 'names') {
    for (const [id, slug] of order.names) names.set(id, slug)
  } else {
    void db.destroy().then(() => port.close())
  }
})
