import type { Administering, Standing } from './console/administering.ts'
import type { Sessions } from './console/session.ts'
import { governanceOf } from './governing.ts'
import type { Uuid } from './kernel/ids.ts'
import type { ServingPeople } from './listeners.ts'
import { isLive } from './participants/expiry-band.ts'
import type { Parts } from './parts.ts'

/** What the screens of those who administer stand on, of one process: connections are those of its own listener. */
export function administeringOf(parts: Parts, serving: ServingPeople, sessions: Sessions): Administering {
  const { clock, participants, programme } = parts
  return {
    ...{ clock, participants, sessions, programme: programme.programme_id },
    governance: governanceOf(parts),
    connectionsUnder: serving.connectionsUnder,
    audiences: () => audiencesIn(parts),
    standingOf: (participant) => standingOf(parts, serving, { participant, sessions }),
  }
}

/** Those that somebody is in, each once, by label. */
function audiencesIn({ authority }: Parts): { audience_id: Uuid; label: string }[] {
  const all = authority.participants().flatMap(({ participant_id }) => authority.audiencesOf(participant_id))
  return [...new Set(all)].sort((a, b) => (a.label < b.label ? -1 : 1))
}

async function standingOf(
  { authority, participants }: Parts,
  { review, feedback, connectionsUnder }: ServingPeople,
  { participant, sessions }: { participant: Parameters<Administering['standingOf']>[0]; sessions: Sessions },
): Promise<Standing> {
  const { participant_id, slug } = participant
  const live = participant.credentials.filter(isLive)
  const people = (await participants.listPeople()).filter(({ organisation }) => organisation === slug)
  const { open } = await review.counts({
    ...{ participant: participant_id, slug, who: 'node', authority: 'reviewed_here', lead: false },
  })
  const { sent, more } = await feedback.sentFigures(participant_id)
  return {
    audiences: authority.audiencesOf(participant_id).length,
    credentials: live.length,
    connections: live.reduce((n, { spki }) => n + connectionsUnder(spki), 0),
    people: (await sessions.lastSeen(people.map(({ person_id }) => person_id))).size,
    ...{ cases: open, sent, more },
  }
}
