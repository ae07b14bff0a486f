import type { GovernanceService } from '../governance/service.ts'
import type { createWhoRead } from '../governance/who-read.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { Explorer, Looker } from '../provenance/explorer.ts'
import type { Ledger } from '../provenance/ledger.ts'
import type { VerifyEd25519 } from '../provenance/note.ts'
import { holdsOne, type Viewer } from './viewer.ts'

/** What the screens over the log stand on. */
export interface Looking {
  explorer: Explorer
  ledger: Pick<Ledger, 'checkpoint' | 'witnesses' | 'policy' | 'vkey' | 'tile' | 'inclusion'>
  clock: Clock
  verify: VerifyEd25519
  origin: string
  logId: number
  /** In whose name a look is recorded where the organisation is no participant. */
  programme: Uuid
  governance: GovernanceService
  whoRead: ReturnType<typeof createWhoRead>
  categories(): readonly string[]
  /** In files, counts below it are left out. */
  suppressBelow: number
  /** Whom to call when a proof fails, in the operator's words. */
  contact: string | undefined
}

/** Who may look for entries: all of them, what they are, or one's own organisation's. */
export const LOOKERS = ['governance', 'observer', 'lead', 'partner_admin'] as const

/** In whose name a look of the viewer is recorded. */
export const inNameOf = ({ programme }: Pick<Looking, 'programme'>, { participant, organisation, person }: Viewer) =>
  participant === undefined
    ? { participant: programme, slug: 'node', person }
    : { participant, slug: organisation, person }

/** How much of the log is the viewer's to see; undefined for whoever may not look for entries. */
export function lookerOf(looking: Pick<Looking, 'programme'>, viewer: Viewer): Looker | undefined {
  const by = inNameOf(looking, viewer)
  if (holdsOne(viewer, ['governance'])) return { ...by, sees: 'all' }
  if (holdsOne(viewer, ['observer'])) return { ...by, sees: 'metadata' }
  // Its own are those of a participant.
  return holdsOne(viewer, LOOKERS) && viewer.participant !== undefined ? { ...by, sees: 'own' } : undefined
}

export function lookerIn(looking: Pick<Looking, 'programme'>, viewer: Viewer): Looker {
  const by = lookerOf(looking, viewer)
  if (by === undefined) throw new Refusal('not-found')
  return by
}
