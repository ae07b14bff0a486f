import type { VNode } from 'preact'
import { NOTE_MAX } from '../../feedback/schema.ts'
import type { Refusal } from '../../kernel/errors.ts'
import type { RequestFor } from '../../participants/request-list.ts'
import { ACT_WORDS, memberName, memberText } from '../act-words.ts'
import { links } from '../links.ts'
import { Badge } from '../parts/badge.tsx'
import { Button, Form, LinkButton, TextArea } from '../parts/form.tsx'
import { roleName } from '../parts/nav.tsx'
import { Errors, errorOf, Note } from '../parts/note.tsx'
import { Fact, Facts } from '../parts/table.tsx'
import { Hash, Time } from '../parts/text.tsx'
import { After, type AfterProps, Differences, LateNote } from './request-after.tsx'
import { type NameOf, StandingBadge } from './requests.tsx'

export interface RequestProps extends AfterProps {
  nameOf: NameOf
  now: Date
  refusal?: Refusal | undefined
  /** As it was typed beside the refusal. */
  note?: string | undefined
}

/** First what would be done and on whose word, then the decision. */
export const RequestPage = (props: RequestProps): VNode => {
  const { request, nameOf, now, refusal } = props
  const { effect } = ACT_WORDS[request.action]
  return (
    <div class="columns">
      <section class="part">
        <h2>
          What is proposed <StandingBadge request={request} now={now} />
        </h2>
        <p>{effect}</p>
        <Facts>
          {Object.entries(JSON.parse(request.payload) as Readonly<Record<string, unknown>>).map(([name, value]) => (
            <Fact key={name} name={memberName(name)}>
              <span class="value">{memberText(value)}</span>
            </Fact>
          ))}
        </Facts>
        <h3>On whose word</h3>
        <Facts>
          <Fact name="proposed by">{nameOf(request.requested_by, request.requested_org)}</Fact>
          <Fact name="proposed">
            <Time at={request.requested_at} now={now} />
          </Fact>
          {request.effective_at !== undefined && (
            <Fact name="takes effect">
              <Time at={request.effective_at} now={now} />, by itself, if those who asked and approved still may
            </Fact>
          )}
          {request.due_at === undefined ? (
            <Fact name="ends by itself">
              <Time at={request.expires_at} now={now} />
            </Fact>
          ) : (
            <Fact name="due">
              <Time at={request.due_at} now={now} />
            </Fact>
          )}
          <Fact name="needs">
            {request.needed === 1 ? 'one other person' : `${request.needed} other persons`},{' '}
            {request.approvers.map(roleName).join(' or ')}
            {request.other_org && ', of another organisation'}
          </Fact>
        </Facts>
        <Votes {...props} />
        <Differences {...props} />
        <details class="exact">
          <summary>Exactly what is approved</summary>
          <p>
            The approval counts for these bytes and no others. SHA-256 <Hash value={request.digest} label="digest" />
          </p>
          <pre class="bytes">{request.payload}</pre>
        </details>
      </section>
      <section class="part decide" aria-labelledby="decide-title">
        <h2 id="decide-title">Decide</h2>
        <Errors refusal={refusal} />
        <Decide {...props} />
        <After {...props} />
      </section>
    </div>
  )
}

const Votes = ({ request, nameOf, now }: RequestProps): VNode => (
  <ol class="events">
    {request.votes.map(({ approver, organisation, verdict, at, note }) => (
      <li key={approver}>
        {verdict === 'approve' ? (
          <Badge tone="ok" icon="ok">
            approved
          </Badge>
        ) : (
          <Badge tone="crit" icon="cross">
            denied
          </Badge>
        )}{' '}
        by {nameOf(approver, organisation)} · <Time at={at} now={now} />
        {note !== undefined && <p class="words">{note}</p>}
      </li>
    ))}
    {request.executed_at !== null && (
      <li>
        <Badge tone="ok" icon="ok">
          carried out
        </Badge>{' '}
        <Time at={request.executed_at} now={now} />
        <LateNote request={request} />
      </li>
    )}
  </ol>
)

const WHY_NOT: Readonly<Record<Exclude<RequestFor['ballot'], 'allowed'>, string>> = {
  self: 'You proposed this. Another person has to decide; there is nothing for you to press.',
  role: 'You may look, but this act is decided by another role.',
  same_org: 'A person of another organisation has to decide this.',
  stale_sign_in: 'Confirm that it is you, then decide within five minutes.',
  voted: 'You have answered. The request needs another person.',
  executed: 'It is carried out.',
  cancelled: 'It was taken back. It can be proposed again.',
  expired: 'It has expired. It can be proposed again.',
  rejected: 'It was denied. It can be proposed again, changed.',
}

function Decide({ request, viewer, once, refusal, note }: RequestProps): VNode {
  const { request_id, ballot, mayExecute, standing } = request
  if (standing === 'ready' && !mayExecute)
    return <Note title="Who proposed it does not hold the role for it any more. It can be proposed again." />
  if (ballot !== 'allowed' && !mayExecute) return <Note title={WHY_NOT[ballot]} />
  if (!viewer.steppedUp)
    return (
      <>
        <p>This takes a fresh, stronger sign-in. It counts for five minutes, and you come back to this page.</p>
        <LinkButton href={links.stepUp(links.request(request_id))} kind="primary" keyName="y">
          Confirm it is you
        </LinkButton>
      </>
    )
  if (mayExecute)
    return (
      <Form action={links.carryOut(request_id)} csrf={viewer.csrf} once={once} class="stack">
        <p>It has the approval that it needs. Carry it out once; what comes of it is shown once.</p>
        <Button kind="primary" keyName="y">
          Carry out
        </Button>
      </Form>
    )
  return (
    <div class="stack">
      <p>You have confirmed that it is you. Compare the facts, then decide.</p>
      <Form action={links.approve(request_id)} csrf={viewer.csrf} once={once}>
        <Button kind="primary" keyName="y">
          Approve
        </Button>
      </Form>
      <Form action={links.deny(request_id)} csrf={viewer.csrf} once={once} class="stack">
        <TextArea
          {...{ name: 'note', rows: 2, maxLength: NOTE_MAX, reader: 'shared', value: note }}
          label="Why it is denied"
          hint="Whoever may see the request reads it. No names, addresses or numbers."
          error={errorOf(refusal, 'note')}
        />
        <Button kind="danger">Deny</Button>
      </Form>
      <p class="muted">One denial ends the request.</p>
    </div>
  )
}

/** What an act answered, which nobody can ask for again. */
export const CarriedOutPage = ({ request, result }: { request: RequestFor; result: unknown }): VNode => {
  const members = Object.entries((result ?? {}) as Readonly<Record<string, unknown>>)
  return (
    <>
      <Note tone="ok" title={`${ACT_WORDS[request.action].title}: carried out`}>
        {request.action === 'log.rotate' && 'The next log begins when the node next starts.'}
      </Note>
      {members.length > 0 && (
        <section class="part">
          <h2>Shown once</h2>
          <p>Nobody can see this again, not even you. Pass it on now, by a way that you trust.</p>
          <Facts>
            {members.map(([name, value]) => (
              <Fact key={name} name={memberName(name)}>
                <Hash value={memberText(value)} label={memberName(name)} whole />
              </Fact>
            ))}
          </Facts>
        </section>
      )}
      <p class="actions">
        <LinkButton href={links.requests()} kind="primary">
          Approvals
        </LinkButton>
      </p>
    </>
  )
}
