import { asParticipant } from '../../src/db/as-participant.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import type { Parts } from '../../src/parts.ts'
import type { PreparedRead } from '../../src/provenance/service.ts'

/** As long as reads of one participant are gathered before they are written. */
const TICK_MS = 10
/** Reads of one row: who is behind writes no row that others wait for. */
const ROW = 64

export interface Driven {
  reads: number
  seconds: number
}

/** Disclosing reads at the journal service, as answers make them: each committed, `perSecond` of them in all participants' names. */
export async function driveReads(
  parts: Parts,
  { perSecond, seconds, participants }: { perSecond: number; seconds: number; participants: readonly Uuid[] },
): Promise<Driven> {
  const began = performance.now()
  const each = perSecond / participants.length
  const sources = parts.authority.participants().slice(0, 2)
  const counts = await Promise.all(
    participants.map(async (participant) => {
      let done = 0
      for (let now = began; now < began + 1_000 * seconds; now = performance.now()) {
        const due = Math.min(ROW, Math.floor(((now - began) / 1_000) * each) - done)
        if (due === 0) {
          await new Promise((resolve) => setTimeout(resolve, TICK_MS))
          continue
        }
        const reads = Array.from({ length: due }, () => aRead(parts, sources))
        await asParticipant(parts.pools.app, participant, (tx) => parts.provenance.insertReads(tx, participant, reads))
        done += due
      }
      return done
    }),
  )
  return { reads: counts.reduce((sum, n) => sum + n, 0), seconds: (performance.now() - began) / 1_000 }
}

/** Of a look-up that found something the signals are known: making them is not what is measured. */
const SIGNALS = Array.from({ length: 1_000 }, () => newId(new Date()))
let taken = 0

function aRead({ provenance }: Parts, sources: readonly { slug: string }[]): PreparedRead {
  taken += 1
  const signal = SIGNALS[taken % SIGNALS.length] ?? newId(new Date())
  return provenance.prepareRead({
    ...{ route: '/v1/lookups', as_of: { log: '1' }, n: sources.length, body: 'A'.repeat(43) },
    ...{ asked: ['a-key'], purpose: 'enforcement' },
    sources: sources.map(({ slug }) => ({ party: slug, items: [{ signal, revision: 1 }] })),
  })
}
