import type { VNode } from 'preact'
import type { ListedParticipant } from '../../participants/directory.ts'
import type { ExpiryBand } from '../../participants/expiry-band.ts'
import type { ParticipantStatus } from '../../participants/schema.ts'
import { ADMINISTRATORS, mayDetail } from '../administering.ts'
import { links } from '../links.ts'
import { Badge } from '../parts/badge.tsx'
import { Empty } from '../parts/note.tsx'
import { Table } from '../parts/table.tsx'
import { numberText } from '../parts/text.tsx'
import { holdsOne, type Viewer } from '../viewer.ts'
import type { Activity } from './participant.tsx'

interface ParticipantsProps {
  listed: readonly ListedParticipant[]
  viewer: Viewer
  /** By slug, for whoever may see who shared with whom. */
  activity: ReadonlyMap<string, Activity> | undefined
}

const PUBLIC = [{ title: 'Participant' }, { title: 'Kind' }, { title: 'Status' }]
const DETAILED = [
  { title: 'Groups' },
  { title: 'Agreement', hint: 'The version that it accepted last' },
  { title: 'Keys', hint: 'When the last TLS key that works ends' },
]
const ACTIVE = [
  { title: 'Sent', numeric: true, hint: 'Signals of the last 30 days, each once for each member of its audience' },
  { title: 'Received', numeric: true, hint: 'Signals of the last 30 days' },
  { title: 'Answered', numeric: true, hint: 'Of those received' },
]

export const ParticipantsPage = ({ listed, viewer, activity }: ParticipantsProps): VNode => {
  const detailed = listed.some(({ participant_id }) => mayDetail(viewer, participant_id))
  const columns = [...PUBLIC, ...(detailed ? DETAILED : []), ...(activity === undefined ? [] : ACTIVE)]
  const active = listed.filter(({ status }) => status === 'active').length
  return (
    <>
      <p class="lead">
        {active} of {listed.length} active
        {holdsOne(viewer, ADMINISTRATORS) && ' · those whose keys end first need a word'}
      </p>
      <section class="part">
        {listed.length === 0 ? (
          <Empty title="Nobody takes part yet">Participants are admitted by two persons.</Empty>
        ) : (
          <Table label="Participants" columns={columns}>
            {listed.map((one) => (
              <Row key={one.slug} {...{ one, viewer, detailed, activity }} />
            ))}
          </Table>
        )}
      </section>
    </>
  )
}

const Row = ({
  one,
  viewer,
  detailed,
  activity,
}: { one: ListedParticipant; detailed: boolean } & Pick<ParticipantsProps, 'viewer' | 'activity'>): VNode => {
  const open = mayDetail(viewer, one.participant_id)
  const counts = activity?.get(one.slug)
  return (
    <tr id={`participant-${one.slug}`} data-row>
      <td>
        {open ? (
          <a href={links.participant(one.slug)} data-open-row>
            {one.name}
          </a>
        ) : (
          one.name
        )}{' '}
        <span class="muted">{one.slug}</span>
      </td>
      <td>{one.kind}</td>
      <td>
        <StatusBadge status={one.status} />
        {one.probation_until !== null && <span class="muted"> on probation</span>}
      </td>
      {detailed && (
        <>
          <td>{open ? one.groups.join(', ') || <span class="muted">none</span> : ''}</td>
          <td>{open ? (one.agreement?.version ?? <span class="muted">none</span>) : ''}</td>
          <td>{open && <EndsBadge ends={one.ends} />}</td>
        </>
      )}
      {activity !== undefined && (
        <>
          <td class="number">{numberText(counts?.sent ?? 0)}</td>
          <td class="number">{numberText(counts?.received ?? 0)}</td>
          <td class="number">{numberText(counts?.answered ?? 0)}</td>
        </>
      )}
    </tr>
  )
}

export const StatusBadge = ({ status }: { status: ParticipantStatus }): VNode => {
  switch (status) {
    case 'active':
      return (
        <Badge tone="ok" icon="ok">
          active
        </Badge>
      )
    case 'suspended':
      return (
        <Badge tone="crit" icon="cross" title="Nothing of it is served; two persons end that">
          suspended
        </Badge>
      )
    case 'left':
      return <Badge>left</Badge>
  }
}

/** In words, by the band of days that are left. */
export const EndsBadge = ({ ends }: { ends: ExpiryBand | undefined }): VNode => {
  if (ends === undefined || ends === 'ended')
    return (
      <Badge tone="warn" icon="alert" title="It cannot connect">
        {ends === undefined ? 'no key that works' : 'ended'}
      </Badge>
    )
  if (ends === 'good') return <span class="muted">more than 60 d</span>
  return (
    <Badge tone={ends <= 7 ? 'crit' : ends <= 30 ? 'warn' : 'neutral'} icon="clock">
      ends within {ends} d
    </Badge>
  )
}
