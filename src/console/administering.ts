import type { GovernanceService } from '../governance/service.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { ListedParticipant } from '../participants/directory.ts'
import type { ParticipantService } from '../participants/service.ts'
import type { Looking } from './looking.ts'
import type { Sessions } from './session.ts'
import { holdsOne, type Viewer } from './viewer.ts'

/** What an organisation uses and has at this moment, and would be without. */
export interface Standing {
  /** Audiences whose feeds it reads. */
  audiences: number
  /** TLS keys that work, and connections that are open under them. */
  credentials: number
  connections: number
  /** Colleagues of it that are signed in here. */
  people: number
  /** Cases that nobody has decided. */
  cases: number
  /** Signals that it sent in the last 30 days; `more`: there may be others. */
  sent: number
  more: boolean
}

/** What the screens of those who administer stand on. */
export interface Administering {
  clock: Clock
  participants: ParticipantService
  sessions: Pick<Sessions, 'once'>
  governance: GovernanceService
  /** In whose name a look is recorded where the organisation is no participant. */
  programme: Looking['programme']
  standingOf(participant: Pick<ListedParticipant, 'participant_id' | 'slug' | 'credentials'>): Promise<Standing>
  /** Every audience, by label. */
  audiences(): readonly { audience_id: Uuid; label: string }[]
  /** Connections that are open under a TLS key, by its pin in hex. */
  connectionsUnder(spki: string): number
}

/** Who may look at every participant's keys. */
export const ADMINISTRATORS = ['node_admin', 'governance'] as const

/** Whether keys, groups and agreement of an organisation are the viewer's to see: everybody's, or one's own. */
export const mayDetail = (viewer: Viewer, participant: Uuid): boolean =>
  holdsOne(viewer, ADMINISTRATORS) || (holdsOne(viewer, ['partner_admin']) && viewer.participant === participant)
