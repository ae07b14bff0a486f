import type { VNode } from 'preact'
import type { Refusal } from '../../kernel/errors.ts'
import { NOTICE_KINDS, type NoticeKind } from '../../notices/schema.ts'
import { FAULTS, type Fault } from '../../webhooks/schedule.ts'
import { FEED_KIND, TEST_KIND } from '../../webhooks/schema.ts'
import type { Delivery, Endpoint } from '../../webhooks/service.ts'
import { links } from '../links.ts'
import { Badge } from '../parts/badge.tsx'
import { DeveloperViews } from '../parts/developer-views.tsx'
import { Button, Field, Form } from '../parts/form.tsx'
import { Empty, Errors, errorOf, Note } from '../parts/note.tsx'
import { Fact, Facts, Table } from '../parts/table.tsx'
import { Hash, Time } from '../parts/text.tsx'
import type { Viewer } from '../viewer.ts'

export interface WebhooksView {
  viewer: Viewer
  endpoints: readonly Endpoint[]
  deliveries: readonly Delivery[]
  hosts: readonly string[]
  /** By which receivers verify `v1a`. */
  publicKey: string
  now: Date
  refused?: { refusal: Refusal; url: string; kinds: readonly string[] }
}

const KIND_WORDS: Readonly<Record<NoticeKind, string>> = {
  'case.handed_over': 'A case was handed over',
  'case.taken_over': 'A case was taken over',
  'proposal.waiting': 'A proposal waits for a second person',
  'proposal.approved': 'A proposal was approved',
  'proposal.denied': 'A proposal was denied',
  'queue.at_risk': 'Cases are late, or soon',
  'question.asked': 'A recipient asks about your signal',
  'dispute.opened': 'A recipient disputes your signal',
  'signal.held': 'A signal of yours is held',
  'credential.ends': 'A key ends soon',
}

/** What programs are told. */
const PROGRAM_WORDS: Readonly<Record<string, string>> = { [FEED_KIND]: 'A feed grew', [TEST_KIND]: 'A test' }

/** Where the organisation's own systems are told what its people are told. */
export const WebhooksPage = (view: WebhooksView): VNode => {
  const { endpoints, deliveries, hosts, publicKey } = view
  return (
    <>
      <p class="lead">
        The node posts kinds, ids and times to a system of your own, signed by Standard Webhooks. No value, note or name
        is in it: what it is about is read here or by your client.
      </p>
      <DeveloperViews current="webhooks" />
      <section class="part" aria-labelledby="endpoints-title">
        <h2 id="endpoints-title">Endpoints</h2>
        {endpoints.length === 0 ? <Empty title="None yet">Nothing is posted anywhere.</Empty> : <Endpoints {...view} />}
      </section>
      {hosts.length === 0 ? (
        <Note title="Your organisation has no host to post to">
          The node's operator enrols one for it by the setting <code>WEBHOOK_HOSTS</code>. Until then none can be added.
        </Note>
      ) : (
        <Add {...view} />
      )}
      <section class="part" aria-labelledby="deliveries-title">
        <h2 id="deliveries-title">What was posted</h2>
        {deliveries.length === 0 ? (
          <Empty title="Nothing yet">The last fifty messages are listed here, for thirty days.</Empty>
        ) : (
          <Deliveries {...view} />
        )}
      </section>
      <section class="part" aria-labelledby="verify-title">
        <h2 id="verify-title">To verify</h2>
        <Facts>
          <Fact name="signature v1">HMAC-SHA-256 under the endpoint's secret, shown once when it is added</Fact>
          <Fact name="signature v1a">
            Ed25519 under the node's key <Hash value={publicKey} label="public key" whole />
          </Fact>
          <Fact name="tried again">after 5 s, 1 and 5 and 30 min, 2, 5, 8 and 9 h; each time under the same id</Fact>
        </Facts>
      </section>
    </>
  )
}

const Endpoints = ({ endpoints, viewer, now }: WebhooksView): VNode => (
  <Table
    label="Endpoints"
    columns={[{ title: 'URL' }, { title: 'Told of' }, { title: 'Since' }, { title: 'What to do', silent: true }]}
  >
    {endpoints.map(({ endpoint, url, kinds, feeds, made_at, secret_no }) => (
      <tr key={endpoint} id={`endpoint-${endpoint}`}>
        <td class="wrap">
          <code>{url}</code>
        </td>
        <td title={kinds.join(', ')}>
          {feeds.length > 0
            ? `${feeds.length} ${feeds.length === 1 ? 'feed' : 'feeds'}, by a program`
            : `${kinds.length} of ${NOTICE_KINDS.length} kinds`}
        </td>
        <td>
          <Time at={made_at} now={now} />
        </td>
        <td class="end actions">
          <Form action={links.testWebhook(endpoint)} csrf={viewer.csrf} label={`Test ${url}`}>
            <Button>Test</Button>
          </Form>
          <Form action={links.rotateWebhook(endpoint)} csrf={viewer.csrf} label={`Replace the secret of ${url}`}>
            <input type="hidden" name="secret_no" value={secret_no + 1} />
            <Button>New secret</Button>
          </Form>
          <Form action={links.endWebhook(endpoint)} csrf={viewer.csrf} label={`End ${url}`}>
            <Button kind="danger">End</Button>
          </Form>
        </td>
      </tr>
    ))}
  </Table>
)

const Add = ({ viewer, hosts, refused }: WebhooksView): VNode => (
  <section class="part" aria-labelledby="add-title">
    <h2 id="add-title">Add one</h2>
    <Form action={links.addWebhook()} csrf={viewer.csrf} class="fields" id="add">
      <Errors refusal={refused?.refusal} />
      <Field
        name="url"
        label="URL"
        required
        maxLength={512}
        value={refused?.url}
        hint={`https, on ${hosts.join(' or ')}; no query, user or password`}
        error={errorOf(refused?.refusal, 'url')}
      />
      <fieldset class="kinds">
        <legend>Tell it of</legend>
        {NOTICE_KINDS.map((kind) => (
          <label key={kind} class="choice">
            <input
              type="checkbox"
              name="kinds[]"
              value={kind}
              checked={refused === undefined || refused.kinds.includes(kind)}
            />
            <span>{KIND_WORDS[kind]}</span>
          </label>
        ))}
      </fieldset>
      <Button kind="primary">Add</Button>
    </Form>
  </section>
)

const Deliveries = ({ deliveries, endpoints, viewer, now }: WebhooksView): VNode => (
  <Table
    label="Messages"
    columns={[
      ...[{ title: 'Kind' }, { title: 'Made' }, { title: 'Attempts', numeric: true }, { title: 'State' }],
      { title: 'Post it again', silent: true },
    ]}
  >
    {deliveries.map((one, i) => (
      <tr key={i}>
        <td>{KIND_WORDS[one.kind as NoticeKind] ?? PROGRAM_WORDS[one.kind] ?? one.kind}</td>
        <td>
          <Time at={one.made_at} now={now} />
        </td>
        <td class="number">{one.attempts}</td>
        <td>
          <State one={one} now={now} />
        </td>
        <td class="end">
          {endpoints.some(({ endpoint }) => endpoint === one.endpoint) && one.attempts > 0 && (
            <Form
              action={links.redeliver(one.endpoint, one.message)}
              csrf={viewer.csrf}
              label={`Post ${one.message} again`}
            >
              <Button>Post again</Button>
            </Form>
          )}
        </td>
      </tr>
    ))}
  </Table>
)

const State = ({ one, now }: { one: Delivery; now: Date }): VNode => {
  const why = one.fault === undefined ? undefined : FAULTS[one.fault as Fault]
  if (one.delivered_at !== undefined)
    return (
      <Badge tone="ok" icon="ok">
        taken
      </Badge>
    )
  if (one.next_at === undefined)
    return (
      <Badge tone="crit" icon="cross">
        given up{why === undefined ? '' : `: it ${why}`}
      </Badge>
    )
  if (one.attempts === 0) return <span class="muted">waits</span>
  return (
    <span>
      <Badge tone="warn">it {why ?? 'is being tried'}</Badge> again <Time at={one.next_at} now={now} />
    </span>
  )
}

/** The one answer that has the secret; where it replaces another, that one signs as well for a day. */
export const WebhookSecretPage = ({
  secret,
  url,
  replaced,
}: {
  secret: string
  url: string
  replaced: boolean
}): VNode => (
  <>
    <Note tone="ok" title={replaced ? 'It has a new secret' : 'It is added'}>
      Nobody can see the secret again, not even you. Store it where <code>{url}</code> is served.
      {replaced && ' For a day messages are signed by the former one too.'}
    </Note>
    <Facts>
      <Fact name="secret">
        <Hash value={secret} label="secret" whole />
      </Fact>
    </Facts>
    <p class="actions">
      <a class="button button-primary" href={links.webhooks()}>
        Webhooks
      </a>
    </p>
  </>
)
