import type { VNode } from 'preact'
import { links } from '../links.ts'
import type { Look } from '../look.ts'
import { Badge } from '../parts/badge.tsx'
import { Button, Form, Select } from '../parts/form.tsx'
import { roleName } from '../parts/nav.tsx'
import { Empty } from '../parts/note.tsx'
import { Fact, Facts, Table } from '../parts/table.tsx'
import { Time } from '../parts/text.tsx'
import type { ListedSession } from '../session.ts'
import { holdsOne, type Viewer } from '../viewer.ts'
import { KeysPart, type OwnProps, WellbeingPart } from './settings-own.tsx'

export interface SettingsProps extends OwnProps {
  look: Look
  sessions: readonly ListedSession[]
  /** The one that this page is read in. */
  current: string
}

const THEMES = [
  { value: 'system', label: 'As the system' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
]
const DENSITIES = [
  { value: 'compact', label: 'Compact, more rows' },
  { value: 'roomy', label: 'Roomy, larger targets' },
]
const KEYS = [
  { value: 'on', label: 'On' },
  { value: 'off', label: 'Off' },
]

export const SettingsPage = (props: SettingsProps): VNode => {
  const { viewer, look, sessions, current, now } = props
  const [open, past] = [
    sessions.filter((one) => one.end_reason === null),
    sessions.filter((one) => one.end_reason !== null),
  ]
  return (
    <>
      <div class="columns">
        <section class="part">
          <h2>You</h2>
          <Facts>
            <Fact name="others see">
              <strong>{viewer.pseudonym}</strong> of {viewer.organisation}
            </Fact>
            <Fact name="roles">
              {viewer.roles.length === 0
                ? 'none: your identity provider and the programme agree on no role'
                : viewer.roles.map(roleName).join(', ')}
            </Fact>
            <Fact name="signed in">
              <Time at={viewer.authTime} now={now} />
            </Fact>
            <Fact name="stronger sign-in">
              {viewer.steppedUp ? (
                <Badge tone="ok" icon="lock">
                  confirmed, counts for five minutes
                </Badge>
              ) : (
                'asked for when an act needs it'
              )}
            </Fact>
          </Facts>
        </section>
        <section class="part">
          <h2>Look and keys</h2>
          <Form action={links.look()} csrf={viewer.csrf} class="fields" id="look">
            <Select name="theme" label="Theme" choices={THEMES} value={look.theme} />
            <Select name="density" label="Rows" choices={DENSITIES} value={look.density} />
            <Select
              name="keys"
              label="Single keys"
              choices={KEYS}
              value={look.keys ? 'on' : 'off'}
              hint="Press ? for the list."
            />
            <Button kind="primary">Save</Button>
          </Form>
        </section>
      </div>
      {holdsOne(viewer, ['analyst', 'lead']) && <WellbeingPart {...props} />}
      <KeysPart {...props} />
      <section class="part">
        <h2>Your sessions</h2>
        <SessionTable {...{ viewer, current, now }} sessions={open} label="Sessions that are open" />
      </section>
      <section class="part">
        <h2>Ended</h2>
        {past.length === 0 ? (
          <Empty title="No session has ended in the last month" />
        ) : (
          <SessionTable {...{ viewer, current, now }} sessions={past} label="Sessions that have ended" />
        )}
      </section>
    </>
  )
}

const ENDED: Readonly<Record<string, string>> = {
  signed_out: 'signed out',
  idle: '30 minutes idle',
  too_old: 'ten hours over',
  ended_by_person: 'ended by you',
  ended_by_admin: 'ended by an administrator',
  access_ended: 'access ended',
}

interface SessionTableProps {
  viewer: Viewer
  sessions: readonly ListedSession[]
  current: string
  now: Date
  label: string
}

const SessionTable = ({ viewer, sessions, current, now, label }: SessionTableProps): VNode => (
  <Table
    label={label}
    columns={[
      { title: 'Browser' },
      { title: 'Signed in' },
      { title: 'Last here' },
      { title: 'State' },
      { title: 'End it', silent: true },
    ]}
  >
    {sessions.map(({ session_id, agent, made_at, seen_at, end_reason }) => (
      <tr key={session_id} id={`session-${session_id}`}>
        <td>{agent}</td>
        <td>
          <Time at={made_at} now={now} />
        </td>
        <td>
          <Time at={seen_at} now={now} />
        </td>
        <td>
          {end_reason !== null ? (
            (ENDED[end_reason] ?? end_reason)
          ) : session_id === current ? (
            <Badge tone="ok">this one</Badge>
          ) : (
            'open'
          )}
        </td>
        <td class="end">
          {end_reason === null && session_id !== current && (
            <Form action={links.endSession()} csrf={viewer.csrf} label={`End the session of ${agent}`}>
              <input type="hidden" name="session" value={session_id} />
              <Button kind="danger">End</Button>
            </Form>
          )}
        </td>
      </tr>
    ))}
  </Table>
)
