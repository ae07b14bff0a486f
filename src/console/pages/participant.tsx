import type { VNode } from 'preact'
import type { MatrixResult } from '../../governance/schema.ts'
import type { ListedCredential } from '../../participants/directory.ts'
import { isLive } from '../../participants/expiry-band.ts'
import { links } from '../links.ts'
import { Badge } from '../parts/badge.tsx'
import { LinkButton } from '../parts/form.tsx'
import { Empty, Errors } from '../parts/note.tsx'
import { Fact, Facts, Table } from '../parts/table.tsx'
import { Hash, numberText, Time } from '../parts/text.tsx'
import { holdsOne } from '../viewer.ts'
import { Joining, type JoiningProps } from './participant-joining.tsx'
import { EndsBadge, StatusBadge } from './participants.tsx'

/** Signals of 30 days: each sent one counts once for each member of its audience. */
export interface Activity {
  sent: number
  received: number
  answered: number
}

/** Of each organisation, by the cells of the matrix that it is in. */
export function activityOf({ participants, cells }: MatrixResult): Map<string, Activity> {
  const found = new Map(participants.map((slug) => [slug, { sent: 0, received: 0, answered: 0 }]))
  for (const { source, recipient, shared, answered } of cells) {
    const [from, to] = [found.get(source), found.get(recipient)]
    if (from !== undefined) from.sent += shared
    if (to === undefined) continue
    to.received += shared
    to.answered += answered
  }
  return found
}

interface ParticipantProps extends JoiningProps {
  activity: Activity | undefined
  connectionsUnder(spki: string): number
}

export const ParticipantPage = (props: ParticipantProps): VNode => {
  const { participant, viewer, activity, now } = props
  const administers = holdsOne(viewer, ['node_admin'])
  return (
    <>
      <Errors refusal={props.refusal} />
      <section class="part">
        <h2>
          Standing <StatusBadge status={participant.status} />
        </h2>
        <Facts>
          <Fact name="short name">
            <code>{participant.slug}</code>
          </Fact>
          <Fact name="kind">{participant.kind}</Fact>
          <Fact name="admitted">
            <Time at={participant.admitted_at} now={now} />
          </Fact>
          {participant.probation_until !== null && (
            <Fact name="probation">
              until <Time at={participant.probation_until} now={now} />, then two persons decide
            </Fact>
          )}
          <Fact name="groups">{participant.groups.join(', ') || 'none'}</Fact>
          <Fact name="agreement">
            {participant.agreement === undefined ? (
              'none is recorded'
            ) : (
              <>
                {participant.agreement.version}, accepted <Time at={participant.agreement.accepted_at} now={now} />
              </>
            )}
          </Fact>
          {activity !== undefined && (
            <Fact name="last 30 days">
              {numberText(activity.sent)} sent · {numberText(activity.received)} received ·{' '}
              {numberText(activity.answered)} answered
            </Fact>
          )}
        </Facts>
        {administers && participant.status === 'active' && (
          <p class="actions">
            <LinkButton href={links.suspend(participant.slug)}>Suspend …</LinkButton>
          </p>
        )}
      </section>
      {administers && participant.status === 'active' && <Joining {...props} />}
      <Credentials {...props} />
      <SigningKeys {...props} />
      {holdsOne(viewer, ['governance', 'observer']) && (
        <p class="muted">
          <a href={links.explorer({ q: `party:${participant.slug}` })}>Entries of the log that concern it</a>
        </p>
      )}
    </>
  )
}

const COLUMNS = [
  { title: 'Key' },
  { title: 'State' },
  { title: 'Ends' },
  { title: 'Open', numeric: true, hint: 'Connections of this node that are open under it' },
  { title: 'Acts', silent: true },
  { title: 'May do' },
]

const Credentials = ({ participant, viewer, connectionsUnder, now }: ParticipantProps): VNode => (
  <section class="part">
    <h2>TLS keys</h2>
    {participant.credentials.length === 0 ? (
      <Empty title="No key is enrolled">Two administrators open a one-time code for it.</Empty>
    ) : (
      <Table label="TLS keys" columns={COLUMNS}>
        {participant.credentials.map((one) => (
          <tr key={one.credential} id={`credential-${one.credential}`} data-row>
            <td>
              {one.label} <Hash value={one.spki} label="fingerprint of the key" />
            </td>
            <td>
              <StateOf credential={one} />
            </td>
            <td>
              <Time at={one.not_after} now={now} />
            </td>
            <td class="number">{connectionsUnder(one.spki)}</td>
            <td>
              {holdsOne(viewer, ['node_admin']) && isLive(one) && (
                <a href={links.revoke(participant.slug, one.credential)}>Revoke …</a>
              )}
            </td>
            <td>{one.scopes.join(' ')}</td>
          </tr>
        ))}
      </Table>
    )}
  </section>
)

const StateOf = ({ credential }: { credential: ListedCredential }): VNode =>
  credential.status === 'revoked' ? (
    <Badge tone="crit" icon="cross">
      revoked
    </Badge>
  ) : (
    <EndsBadge ends={credential.ends} />
  )

const KEY_COLUMNS = [{ title: 'Key id' }, { title: 'Algorithm' }, { title: 'Status' }, { title: 'Ends' }]

const SigningKeys = ({ participant, now }: ParticipantProps): VNode => (
  <section class="part">
    <h2>Signing keys</h2>
    {participant.signing_keys.length === 0 ? (
      <Empty title="None yet">The first one comes with the first TLS key.</Empty>
    ) : (
      <Table label="Signing keys" columns={KEY_COLUMNS}>
        {participant.signing_keys.map(({ kid, alg, status, not_after }) => (
          <tr key={kid}>
            <td>
              <Hash value={kid} label="key id" />
            </td>
            <td>{alg}</td>
            <td>{status}</td>
            <td>
              <Time at={not_after} now={now} />
            </td>
          </tr>
        ))}
      </Table>
    )}
  </section>
)
