import type { VNode } from 'preact'
import type { SentDetail } from '../../feedback/sent-schema.ts'
import type { Refusal } from '../../kernel/errors.ts'
import type { Uuid } from '../../kernel/ids.ts'
import type { SignalItem, WithdrawalItem } from '../../signals/schema.ts'
import { links } from '../links.ts'
import { CommandLine } from '../parts/command.tsx'
import { Button, Form, LinkButton } from '../parts/form.tsx'
import { Errors, Note } from '../parts/note.tsx'
import { Fact, Facts, Table } from '../parts/table.tsx'
import { Hash, Time } from '../parts/text.tsx'
import { maySpeak } from '../sending.ts'
import { SENT_STATES } from '../sent-words.ts'
import type { Viewer } from '../viewer.ts'
import { plain } from '../words.ts'
import { SeverityMark } from './case-parts.tsx'
import { hasEnded, StateBadge } from './sent.tsx'
import { Disputes } from './sent-disputes.tsx'
import { Questions } from './sent-questions.tsx'
import { SaidTable, type Words } from './sent-said.tsx'

export interface SentSignalView {
  viewer: Viewer
  one: SentDetail
  now: Date
  /** What was revealed, where the page itself shows it. */
  words?: Words
  /** Of the form that was refused, with what was typed. */
  refused?: { dispute?: Uuid; asker?: string; refusal: Refusal; typed: Readonly<Record<string, string>> }
  /** Made with the page. */
  once: Uuid
}

/** One of one's own signals: what it says, who has it, and what they say. */
export const SentSignalPage = (view: SentSignalView): VNode => {
  const { one, now, refused } = view
  const said = one.revisions.map(({ item }) => item).find(isSignal)
  return (
    <div class="sent-signal">
      <p class="crumbs">
        <a href={links.submissions()} data-key="u">
          All signals
        </a>
      </p>
      <Errors refusal={refused?.dispute === undefined && refused?.asker === undefined ? refused?.refusal : undefined} />
      {one.state === 'held' && <Held {...view} />}
      <div class="columns">
        <FactsOf one={one} said={said} now={now} />
        <Reach one={one} />
      </div>
      <Disputes {...view} />
      <Questions {...view} />
      <SaidTable {...view} />
      <Revisions one={one} now={now} />
      {!hasEnded(one) && <Changes viewer={view.viewer} one={one} said={said} />}
    </div>
  )
}

const isSignal = (item: SignalItem | WithdrawalItem | undefined): item is SignalItem =>
  item !== undefined && 'type' in item

interface SaidProps {
  one: SentDetail
  said: SignalItem | undefined
}

const FactsOf = ({ one, said, now }: SaidProps & { now: Date }): VNode => (
  <section class="panel" aria-labelledby="facts-title">
    <h2 id="facts-title">Facts</h2>
    <Facts>
      <Fact name="Id">
        <Hash value={one.signal} label="id" />
      </Fact>
      <Fact name="State">
        <StateBadge one={one} />
      </Fact>
      {said !== undefined && <SaidFacts said={said} />}
      <Fact name="Shared with">{one.audience_label}</Fact>
      <Fact name="Sent">
        <Time at={new Date(one.sent_at)} now={now} />
      </Fact>
      <Fact name="Changed">
        <Time at={one.changed_at} now={now} />
      </Fact>
      {!hasEnded(one) && (
        <Fact name="Expires">
          <Time at={new Date(one.expires_at)} now={now} />
        </Fact>
      )}
    </Facts>
    {said === undefined && <p class="muted">What it said was erased.</p>}
    {(said?.type === 'keyword_pattern' || said?.type === 'tactic') && (
      <p class="muted">Its words are not on this page.</p>
    )}
  </section>
)

const SaidFacts = ({ said }: { said: SignalItem }): VNode => {
  const value = keyOf(said)
  return (
    <>
      {value !== undefined && (
        <Fact name="Value">
          <Hash value={value.hash} label="value" /> <span class="muted">rule {value.rule}</span>
        </Fact>
      )}
      <Fact name="Category">{plain(said.category)}</Fact>
      <Fact name="Severity">
        <SeverityMark severity={said.severity} />
      </Fact>
      <Fact name="Basis">
        {plain(said.basis)}, confidence {said.confidence} of 100
      </Fact>
      <Fact name="Asks for">{plain(said.handling)}</Fact>
      <Fact name="TLP">{said.tlp}</Fact>
    </>
  )
}

/** What a signal is looked up by, as it was sent. */
function keyOf(said: SignalItem): { hash: string; rule: string } | undefined {
  if (said.type === 'url' || said.type === 'domain') return { hash: said.value.sha256, rule: said.value.profile }
  if (said.type === 'media_hash') return { hash: said.value.hash, rule: said.value.algorithm }
  if (said.type === 'keyword_pattern' || said.type === 'tactic' || said.type === 'relation') return undefined
  return { hash: said.value.token, rule: `${said.value.profile}, key ${said.value.kid}` }
}

/** Who is known to have it; once it has ended, who acknowledged that. */
const Reach = ({ one }: { one: SentDetail }): VNode => {
  const { reach, state } = one
  const ended = hasEnded(one)
  const title = ended ? `${SENT_STATES[state].label}: who has acknowledged it` : 'Who is known to have it'
  return (
    <section class="panel" aria-labelledby="reach-title">
      <h2 id="reach-title">{title}</h2>
      {reach === undefined ? (
        <p class="muted">
          Nobody can tell: its audience is sealed, it was erased, or its entry is still on its way to the feed.
        </p>
      ) : (
        <ReachBar n={ended ? reach.acknowledged : reach.reached} of={reach.members} ended={ended} />
      )}
      <CommandLine label="Who obtained it, with the proof of each read" command="aldis history --verify" />
    </section>
  )
}

const ReachBar = ({ n, of, ended }: { n: number; of: number; ended: boolean }): VNode => (
  <>
    <p class="reach">
      <strong>
        {n} of {of}
      </strong>{' '}
      {ended ? 'acknowledged' : 'known to have what you said last'}
    </p>
    <progress class="reach-bar" value={n} max={Math.max(of, 1)} aria-label={`${n} of ${of}`} />
    <p class="hint">
      {ended
        ? 'An acknowledgement says that the signal is removed from the mirror and reached what used it. Who has not acknowledged may have removed it too.'
        : 'They answered, disputed it, or acknowledged the feed up to your last revision. Others may have it too.'}
    </p>
  </>
)

function heldText({ held_by_programme, open_disputes }: SentDetail): string {
  if (held_by_programme) return 'Two persons of the programme hold it, and two of them let it go. You may withdraw it.'
  if (open_disputes > 0) return 'Answer its disputes first. Then it can be released, or withdrawn.'
  return 'Every dispute is answered. Release it if it is right, or withdraw it.'
}

const Held = ({ viewer, one, once }: SentSignalView): VNode => (
  <Note tone="warn" title="This signal is held: recipients stop using it, and look-ups do not find it">
    <p>{heldText(one)}</p>
    {maySpeak(viewer) && one.open_disputes === 0 && !one.held_by_programme && (
      <Form action={links.releaseSubmission(one.signal)} csrf={viewer.csrf} once={once}>
        <Button kind="primary">Release</Button>
      </Form>
    )}
  </Note>
)

const Revisions = ({ one, now }: { one: SentDetail; now: Date }): VNode => (
  <section aria-labelledby="revisions-title">
    <h2 id="revisions-title">Revisions</h2>
    <Table
      label="Revisions"
      columns={[
        { title: 'Revision', numeric: true },
        { title: 'Sent' },
        { title: 'What changed' },
        { title: 'On whose word' },
        { title: 'Event of the log' },
      ]}
    >
      {one.revisions.map(({ revision, event, at, item, signed }, i) => (
        <tr key={revision}>
          <td class="number">{revision}</td>
          <td>
            <Time at={at} now={now} />
          </td>
          <td>{changeText(item, one.revisions[i + 1]?.item)}</td>
          <td>{signed ? 'signed by your key' : 'a person, in the console'}</td>
          <td>
            <Hash value={event} label="event" />
          </td>
        </tr>
      ))}
    </Table>
  </section>
)

const SAID_MEMBERS = [
  'category',
  'severity',
  'confidence',
  'basis',
  'handling',
  'tlp',
  'audience',
  'observed_at',
  'expires_at',
] as const
/** Members whose values are words: that they changed is said, not to what. */
const WORDS = ['note', 'value'] as const

function changeText(
  item: SignalItem | WithdrawalItem | undefined,
  before: SignalItem | WithdrawalItem | undefined,
): string {
  if (item === undefined) return 'Erased'
  if (!isSignal(item)) return `Withdrawn: ${plain(item.reason).toLowerCase()}`
  if (!isSignal(before)) return item.revision === 1 ? 'First sent' : 'Not known'
  const changed = [
    ...SAID_MEMBERS.filter((name) => item[name] !== before[name]).map(
      (name) => `${plain(name)} ${before[name]} → ${item[name]}`,
    ),
    ...WORDS.filter((name) => JSON.stringify(item[name]) !== JSON.stringify(before[name])).map(
      (name) => `${plain(name)} changed`,
    ),
  ]
  return changed.length === 0 ? 'Nothing but its date' : changed.join('; ')
}

const YEAR = 10

const Changes = ({ viewer, one, said }: SaidProps & { viewer: Viewer }): VNode => {
  const later = new Date(Date.parse(one.expires_at) + 30 * 86_400_000).toISOString().slice(0, YEAR)
  return (
    <section class="panel" aria-labelledby="commands-title">
      <h2 id="commands-title">Change it</h2>
      {maySpeak(viewer) ? (
        <p class="row">
          <LinkButton href={links.withdrawSubmission(one.signal)}>Withdraw…</LinkButton>
        </p>
      ) : (
        <p class="muted">A lead or a partner administrator of your organisation may withdraw it here.</p>
      )}
      <p>
        What says something new of a signal is signed by your organisation's key, which no browser has. These commands
        are run where it is.
      </p>
      {said !== undefined && (
        <CommandLine
          label="Answer a question, by a revision"
          command={`aldis revise ${one.signal} --confidence ${said.confidence} --note '…'`}
        />
      )}
      <CommandLine label="Renew it" command={`aldis revise ${one.signal} --expires ${later}T00:00:00Z`} />
      <CommandLine label="Withdraw it, signed" command={`aldis withdraw ${one.signal} --reason mistaken`} />
      <p class="hint">Reasons of a withdrawal: mistaken, outdated, appeal_upheld, duplicate, legal.</p>
    </section>
  )
}
