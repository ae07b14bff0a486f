import type { ErasureCertificate } from './erasure/certificate.ts'
import { Refusal } from './kernel/errors.ts'
import type { Uuid } from './kernel/ids.ts'
import type { Parts } from './parts.ts'
import { createAuditLog } from './provenance/auditor.ts'
import { wholeReceipt } from './provenance/opened.ts'
import { createGovernmentRegister, type GovernmentRegister } from './registers/government.ts'
import { createLegalHolds, type LegalHolds } from './registers/holds.ts'
import { createSubjectRegister, type SubjectRegister } from './registers/subject.ts'
import { keyedSignals, unerasedSignals } from './signals/erase.ts'

/** What governance keeps books of. */
export interface Registers {
  holds: LegalHolds
  government: GovernmentRegister
  subjects: SubjectRegister
  /** `not-found` for what is no erasure, `log-behind` until a checkpoint covers it. */
  certificate(event: Uuid): Promise<ErasureCertificate>
}

export function registersOf(parts: Parts): Registers {
  const { pools, clock, provenance: recorder, programme, authority, erasures, participants } = parts
  const common = { admin: pools.admin, clock, recorder, programme: programme.programme_id }
  return {
    holds: createLegalHolds(pools.admin),
    government: createGovernmentRegister(common),
    subjects: createSubjectRegister({
      ...{ ...common, participants: () => authority.participants(), found: keyedSignals, unerased: unerasedSignals },
      auditing: createAuditLog({ app: pools.app, clock, provenance: recorder }),
      erasures: () => erasures.list(),
      ask: async (payload, by) => (await participants.propose('signals.erase', payload, by)).request_id,
    }),
    certificate: (event) => certificateOf(parts, event),
  }
}

async function certificateOf({ erasures, pools, keys, logId, clock }: Parts, event: Uuid): Promise<ErasureCertificate> {
  const found = (await erasures.list()).find((one) => one.event === event)
  if (found === undefined) throw new Refusal('not-found')
  const receipt = await wholeReceipt({ db: pools.ledger, keys, logId }, event)
  if (receipt === undefined) throw new Refusal('log-behind', { retryAfter: 5 })
  const { source, at, basis, approval, signals, notified } = found
  const { acknowledged, cannot_remove, missing, unreachable } = found
  return {
    ...{ format: 'aldis-erasure-certificate/1', issued_at: clock().toISOString(), event, source, basis, approval },
    ...{ at: at.toISOString(), signals, notified },
    holders: { acknowledged, cannot_remove, missing, unreachable },
    receipt,
  }
}
